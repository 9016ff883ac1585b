"""Google Analytics: code of the platform."""
