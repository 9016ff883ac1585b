"""Aramex: code of the platform."""
