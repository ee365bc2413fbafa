"""medunsup: unsupervised learning for the medical scans nobody has labelled.

``import medunsup`` stays light: each public name is imported the first time it is used.
What is public, here and in the packages of the areas, is listed in docs/api.md.
"""

from typing import TYPE_CHECKING

from medunsup import errors
from medunsup.core.lazy import attach
from medunsup.core.version import __version__

if TYPE_CHECKING:
    from medunsup.anomaly.calibrate import Calibration, calibrate
    from medunsup.anomaly.detector import Detector
    from medunsup.anomaly.result import AnomalyResult
    from medunsup.core.errors import MedunsupError
    from medunsup.core.record import Step
    from medunsup.core.registry import methods, register
    from medunsup.core.volume import Volume
    from medunsup.io.load import load
    from medunsup.measures.evaluation import Evaluation
    from medunsup.preprocess.brain_mask import brain_mask
    from medunsup.run.batch import CohortResult
    from medunsup.run.cohort import segment_many
    from medunsup.run.compact_model import compact_model
    from medunsup.run.detect import detect
    from medunsup.run.detect_many import detect_many
    from medunsup.run.evaluate_model import evaluate
    from medunsup.run.model_folder import ModelFolder, read_model
    from medunsup.run.result import SegmentResult
    from medunsup.run.scan import segment
    from medunsup.run.train import train

_HOMES = {
    "AnomalyResult": "medunsup.anomaly.result",
    "Calibration": "medunsup.anomaly.calibrate",
    "CohortResult": "medunsup.run.batch",
    "Detector": "medunsup.anomaly.detector",
    "Evaluation": "medunsup.measures.evaluation",
    "MedunsupError": "medunsup.core.errors",
    "ModelFolder": "medunsup.run.model_folder",
    "SegmentResult": "medunsup.run.result",
    "Step": "medunsup.core.record",
    "Volume": "medunsup.core.volume",
    "brain_mask": "medunsup.preprocess.brain_mask",
    "calibrate": "medunsup.anomaly.calibrate",
    "compact_model": "medunsup.run.compact_model",
    "detect": "medunsup.run.detect",
    "detect_many": "medunsup.run.detect_many",
    "evaluate": "medunsup.run.evaluate_model",
    "load": "medunsup.io.load",
    "methods": "medunsup.core.registry",
    "read_model": "medunsup.run.model_folder",
    "register": "medunsup.core.registry",
    "segment": "medunsup.run.scan",
    "segment_many": "medunsup.run.cohort",
    "train": "medunsup.run.train",
}

__all__ = [
    "AnomalyResult",
    "Calibration",
    "CohortResult",
    "Detector",
    "Evaluation",
    "MedunsupError",
    "ModelFolder",
    "SegmentResult",
    "Step",
    "Volume",
    "__version__",
    "brain_mask",
    "calibrate",
    "compact_model",
    "detect",
    "detect_many",
    "errors",
    "evaluate",
    "load",
    "methods",
    "read_model",
    "register",
    "segment",
    "segment_many",
    "train",
]

__getattr__, _ = attach(__name__, _HOMES)


def __dir__() -> list[str]:
    """List what there is to use, also before its first use."""
    return __all__
