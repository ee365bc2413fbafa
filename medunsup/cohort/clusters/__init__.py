"""Clusters of tables of features and of images: what was found, and the folder that keeps it."""
