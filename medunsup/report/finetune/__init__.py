"""The page of a fine-tuned network."""
