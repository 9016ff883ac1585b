"""LinkedIn: code of the platform."""
