"""GoHighLevel: code of the platform."""
