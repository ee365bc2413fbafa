"""Tables of features: one row a scan, named numbers, and what else is known of each row."""
