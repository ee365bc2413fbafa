"""Verbs of the package itself, one a file."""
