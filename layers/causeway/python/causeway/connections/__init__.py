"""Connections of a tenant to platforms: requests, rows, status and health, tests, changes, use."""
