"""Metrics: they know arrays, never models."""
