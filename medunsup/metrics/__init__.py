"""Measures of how well something was found: they know arrays, never models."""

from medunsup.core.lazy import attach

_HOMES = {
    "alpha_req": "medunsup.metrics.label_free",
    "aupro": "medunsup.metrics.detection",
    "average_precision": "medunsup.metrics.detection",
    "continuity": "medunsup.metrics.maps",
    "dice": "medunsup.metrics.segmentation",
    "lidar": "medunsup.metrics.label_free",
    "rankme": "medunsup.metrics.label_free",
    "scan_auroc": "medunsup.metrics.scan_level",
    "trustworthiness": "medunsup.metrics.maps",
    "volume_ratio": "medunsup.metrics.segmentation",
}

__getattr__, __dir__ = attach(__name__, _HOMES)
