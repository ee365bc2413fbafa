"""Folders of fine-tuned networks: what `finetune` writes, and everything that uses such a network reads."""
