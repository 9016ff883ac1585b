"""Kinds of work of a platform: each module has a Protocol for the platforms' modules of its name, and value types."""
