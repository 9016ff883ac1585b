"""Instagram: code of the platform."""
