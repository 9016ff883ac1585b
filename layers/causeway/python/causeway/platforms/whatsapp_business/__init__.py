"""WhatsApp Business: code of the platform."""
