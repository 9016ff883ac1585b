"""Pigeon Post: code of the platform."""
