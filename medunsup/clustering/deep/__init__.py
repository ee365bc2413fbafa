"""Clustering by networks: what its methods share."""
