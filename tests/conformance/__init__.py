"""Judges any implementation of the wallet over HTTP by what happens to the money: python -m tests.conformance."""
