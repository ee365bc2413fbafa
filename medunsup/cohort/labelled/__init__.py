"""Labelled scans and images: read, split by subject and class, and refused where an encoder has seen them."""
