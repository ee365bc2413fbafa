"""Scores of what a model does not explain, one file each; higher is more anomalous."""
