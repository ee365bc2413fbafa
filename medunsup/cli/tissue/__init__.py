"""Verbs of tissue segmentation, one a file."""
