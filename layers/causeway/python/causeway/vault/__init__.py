"""Credentials at rest: encryption, data keys, versions, retention, key rotation."""
