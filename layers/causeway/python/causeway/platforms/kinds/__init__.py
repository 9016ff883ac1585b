"""What a platform's folder may contain: a Protocol per module, named as the module, with its value types."""
