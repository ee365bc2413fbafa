"""Models of healthy scans, one file each."""
