"""Judges any implementation of the wallet over HTTP by the money it moves: python -m tests.conformance."""
