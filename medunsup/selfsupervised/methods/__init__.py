"""One file a pretraining method."""
