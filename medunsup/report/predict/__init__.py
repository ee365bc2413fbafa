"""Pages of predicted labels."""
