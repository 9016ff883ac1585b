"""Connections of a tenant to providers: what is asked of them, their rows, and what is done with them."""
