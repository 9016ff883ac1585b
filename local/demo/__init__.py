"""The demo that `make demo` plays on a stack of its own."""
