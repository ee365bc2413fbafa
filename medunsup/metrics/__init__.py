"""Measures of how well something was found: they know arrays, never models."""

from medunsup.core.lazy import attach

_HOMES = {
    "aupro": "medunsup.metrics.detection",
    "average_precision": "medunsup.metrics.detection",
    "dice": "medunsup.metrics.segmentation",
    "scan_auroc": "medunsup.metrics.scan_level",
    "volume_ratio": "medunsup.metrics.segmentation",
}

__getattr__, __dir__ = attach(__name__, _HOMES)
