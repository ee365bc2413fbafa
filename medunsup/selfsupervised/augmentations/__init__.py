"""Augmentations of whole batches on their device, one file each; `presets` puts them together."""
