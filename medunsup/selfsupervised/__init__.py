"""Pretraining: encoders that learn from scans without any label.

Each method is public here under the name of its class: `from medunsup.selfsupervised import Autoencoder`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "PretrainConfig": "medunsup.selfsupervised.base",
    "PretrainLearner": "medunsup.selfsupervised.learner",
    "Scans": "medunsup.training.scan_stack",
    "SelfSupervised": "medunsup.selfsupervised.base",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("selfsupervised",))
