"""Verbs of pretrained encoders, one a file."""
