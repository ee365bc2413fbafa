"""Encoder folders: what `pretrain` writes, and everything that uses an encoder reads."""
