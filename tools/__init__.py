"""Commands for people, thin over the layer."""
