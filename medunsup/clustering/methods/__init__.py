"""One file a method; see `docs/cluster.md`."""
