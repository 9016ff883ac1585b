"""What the README's performance table is made of: every figure a ratio measured in one run, on one machine."""
