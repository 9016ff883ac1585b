"""Lambda's stand-in: execution environments under AWS's own runtime client."""
