"""`train`: from healthy scans to a model folder."""
