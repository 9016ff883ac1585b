"""Benchmarks: each compares a figure with a reference that is measured in the same run on the same machine."""
