"""Losses of self-supervised learning: pure functions of tensors, one file each."""
