"""What a folder, a BIDS data set or a table says: its scans, its subjects, who is healthy, which split."""
