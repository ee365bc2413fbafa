"""Measures of how well something was found: they know arrays, never models."""

from medunsup.core.lazy import attach

_HOMES = {
    "aupro": "medunsup.measures.detection",
    "average_precision": "medunsup.measures.detection",
    "dice": "medunsup.measures.segmentation",
    "scan_auroc": "medunsup.measures.scan_level",
    "volume_ratio": "medunsup.measures.segmentation",
}

__getattr__, __dir__ = attach(__name__, _HOMES)
