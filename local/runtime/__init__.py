"""A stand-in for Lambda: execution environments under AWS's own runtime client."""
