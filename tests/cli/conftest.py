"""Fixtures for the tests of the command line."""

from small_scans import make_scan, quick_placement, small_brain

__all__ = ["make_scan", "quick_placement", "small_brain"]
