"""DHL Express: code of the platform."""
