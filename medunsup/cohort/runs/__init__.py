"""What runs are at, kept beside their results while something is left to do."""
