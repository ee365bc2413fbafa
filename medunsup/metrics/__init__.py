"""Measures of how well something was found: they know arrays, never models."""

from medunsup.core.lazy import attach

_HOMES = {
    "aupro": "medunsup.metrics.detection",
    "average_precision": "medunsup.metrics.detection",
    "continuity": "medunsup.metrics.maps",
    "dice": "medunsup.metrics.segmentation",
    "scan_auroc": "medunsup.metrics.scan_level",
    "trustworthiness": "medunsup.metrics.maps",
    "volume_ratio": "medunsup.metrics.segmentation",
}

__getattr__, __dir__ = attach(__name__, _HOMES)
