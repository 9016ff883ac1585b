"""Telr: code of the platform."""
