"""PayPal: code of the platform."""
