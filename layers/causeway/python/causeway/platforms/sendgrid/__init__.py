"""SendGrid: code of the platform."""
