"""Blocks, encoders, decoders and losses that several methods share."""
