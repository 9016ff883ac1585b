"""Causeway: the shared package of all functions."""
