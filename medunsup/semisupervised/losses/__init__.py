"""Losses of learning with few labels: pure functions of tensors, one file each."""
