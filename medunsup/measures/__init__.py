"""Measures of how well something was found: they know arrays, never models."""
