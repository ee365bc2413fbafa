"""`evaluate`: how well a model finds lesions, beside every baseline."""
