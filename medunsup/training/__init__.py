"""The one training loop, its checkpoints and what it tells on the way."""

from medunsup.core.lazy import attach

_HOMES = {"Scans": "medunsup.training.scan_stack", "Training": "medunsup.training.loop"}

__getattr__, __dir__ = attach(__name__, _HOMES)
