"""Models of healthy scans, scores of what they do not explain, thresholds from healthy scans alone.

Each model and score is public here under the name of its class: `from medunsup.anomaly import VAE`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "AnomalyModel": "medunsup.anomaly.base",
    "AnomalyResult": "medunsup.anomaly.result",
    "BaselineResult": "medunsup.anomaly.result",
    "Calibration": "medunsup.anomaly.calibration",
    "DeepConfig": "medunsup.anomaly.deep",
    "DeepModel": "medunsup.anomaly.deep",
    "Detector": "medunsup.anomaly.detector",
    "Finding": "medunsup.anomaly.result",
    "Flag": "medunsup.anomaly.result",
    "Scans": "medunsup.training.scan_stack",
    "Score": "medunsup.anomaly.base",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("anomaly", "score"))
