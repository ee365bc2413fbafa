"""From scans or images to a table of features."""
