"""The earlier place of `medunsup.training.scan_stack`."""

from medunsup.training.scan_stack import Array, Mask, Scans

__all__ = ["Array", "Mask", "Scans"]
