"""`detect`: what a model of healthy scans does not explain in a scan."""
