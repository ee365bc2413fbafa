"""One folder a verb: what happens from a user's call to the files on disk."""
