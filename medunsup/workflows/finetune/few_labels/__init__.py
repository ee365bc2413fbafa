"""Learning with few labels: what `finetune` does in its own way where unlabelled items are learned from."""
