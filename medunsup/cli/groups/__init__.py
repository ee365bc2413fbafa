"""Verbs of features, maps and clusters, one a file."""
