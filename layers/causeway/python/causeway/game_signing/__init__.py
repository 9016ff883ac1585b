"""Signed calls between casino and game provider: signatures, secrets, calls."""
