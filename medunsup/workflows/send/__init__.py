"""Files to an archive: what it took, what it refused and why."""
