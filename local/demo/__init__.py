"""The demo of `make demo`, on a stack of its own."""
