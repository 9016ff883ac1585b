"""Calls to the platforms behind connections, and one folder of code per platform."""
