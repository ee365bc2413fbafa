"""Pages a radiologist opens from disk."""
