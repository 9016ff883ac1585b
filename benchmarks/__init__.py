"""What the tables of measurements are made of: every figure a ratio measured in one run, on one machine."""
