"""Synthetic lesions in healthy scans, so that the truth is known exactly."""
