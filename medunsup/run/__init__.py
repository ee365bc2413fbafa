"""One scan from top to bottom, many scans, and the demo."""
