"""Encoders, one file each: networks from images to feature maps, for pretraining and what follows it."""
