"""Twilio: code of the platform."""
