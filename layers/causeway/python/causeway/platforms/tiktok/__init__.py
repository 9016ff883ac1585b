"""TikTok: code of the platform."""
