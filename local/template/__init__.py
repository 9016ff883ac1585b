"""Reads template.yaml for the local stack."""
