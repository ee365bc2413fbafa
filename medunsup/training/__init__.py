"""The one training loop, its checkpoints and what it tells on the way."""
