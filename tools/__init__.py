"""Commands for people; their rules are in the layer."""
