"""Page of a probe."""
