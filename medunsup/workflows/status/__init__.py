"""What runs are at, or have left to do, in a folder of results."""
