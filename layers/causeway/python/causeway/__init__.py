"""Causeway: what the edge functions share."""
