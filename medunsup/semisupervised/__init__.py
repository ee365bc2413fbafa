"""Learning with few labels: from many items of which few are labelled.

Each method is public here under the name of its class: `from medunsup.semisupervised import LabelSpreading`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "Choice": "medunsup.semisupervised.base",
    "FeatureClassifier": "medunsup.semisupervised.features",
    "FeatureConfig": "medunsup.semisupervised.features",
    "FewLabels": "medunsup.semisupervised.base",
    "FewLabelsConfig": "medunsup.semisupervised.base",
    "Scans": "medunsup.training.scan_stack",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("semisupervised",))
