"""Stripe: code of the platform."""
