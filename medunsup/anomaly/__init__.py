"""Models of healthy scans, scores of what they do not explain, thresholds from healthy scans alone."""
