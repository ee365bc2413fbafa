"""Which scans are meant, how they are read and prepared, and how many of them are worked through."""
