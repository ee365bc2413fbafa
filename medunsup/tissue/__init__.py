"""Tissue segmentation: mixtures and their parts (priors, bias field, random field, partial volume)."""
