"""Corruptions that a network learns to undo or to name, on whole batches, one file each."""
