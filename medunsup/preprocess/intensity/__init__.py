"""Bias fields, and intensity scales on which scans agree."""
