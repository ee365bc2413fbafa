"""Verbs of anomaly detection, one a file."""
