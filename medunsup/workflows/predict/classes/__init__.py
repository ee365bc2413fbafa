"""What `predict` does with a network that classifies scans or images."""
