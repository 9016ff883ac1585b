"""Calls to outside systems: one HTTP client, limited in time, size and reach."""
