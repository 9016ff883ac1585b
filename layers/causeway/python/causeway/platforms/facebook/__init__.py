"""Facebook: code of the platform."""
