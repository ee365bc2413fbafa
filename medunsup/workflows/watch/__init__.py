"""Each complete series that arrives is processed once."""
