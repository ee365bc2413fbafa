"""medunsup: unsupervised learning for the medical scans nobody has labelled.

``import medunsup`` stays light: each public name is imported the first time it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from medunsup.core.version import __version__

if TYPE_CHECKING:
    from medunsup.anomaly.detector import Detector
    from medunsup.core.volume import Volume
    from medunsup.io.load import load
    from medunsup.run.cohort import segment_many
    from medunsup.run.detect import detect
    from medunsup.run.detect_many import detect_many
    from medunsup.run.evaluate_model import evaluate
    from medunsup.run.model_folder import read_model
    from medunsup.run.scan import segment
    from medunsup.run.train import train

_HOMES = {
    "Detector": "medunsup.anomaly.detector",
    "Volume": "medunsup.core.volume",
    "detect": "medunsup.run.detect",
    "detect_many": "medunsup.run.detect_many",
    "evaluate": "medunsup.run.evaluate_model",
    "load": "medunsup.io.load",
    "read_model": "medunsup.run.model_folder",
    "segment": "medunsup.run.scan",
    "segment_many": "medunsup.run.cohort",
    "train": "medunsup.run.train",
}

__all__ = [
    "Detector",
    "Volume",
    "__version__",
    "detect",
    "detect_many",
    "evaluate",
    "load",
    "read_model",
    "segment",
    "segment_many",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'medunsup' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List what there is to use, also before its first use."""
    return __all__
