"""Module paths of earlier versions: imported from where the module lies now, with a FutureWarning."""

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "medunsup.anomaly.build": "medunsup.anomaly.factory",
    "medunsup.anomaly.calibrate": "medunsup.anomaly.calibration",
    "medunsup.anomaly.data": "medunsup.training.scan_stack",
    "medunsup.io.dicom_contrast": "medunsup.io.dicom.contrast",
    "medunsup.io.dicom_series": "medunsup.io.dicom.series",
    "medunsup.measures": "medunsup.metrics",
    "medunsup.measures.segmentation": "medunsup.metrics.segmentation",
    "medunsup.preprocess.brain_mask": "medunsup.preprocess.brain_extraction.brain_mask",
    "medunsup.report.group": "medunsup.workflows.segment.group",
    "medunsup.report.page": "medunsup.report.segment.page",
    "medunsup.run": "medunsup.workflows",
    "medunsup.run.compact_model": "medunsup.workflows.train.compact_model",
    "medunsup.run.model_folder": "medunsup.workflows.train.model_folder",
    "medunsup.run.request": "medunsup.cohort.request",
    "medunsup.run.sources": "medunsup.cohort.dataset.sources",
}


class _Finder(MetaPathFinder, Loader):
    """Finds a module under the path it had before; asked last, so it costs nothing where all is found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_package = any(name.startswith(f"{fullname}.") for name in MOVED)
        return ModuleSpec(fullname, self, is_package=is_package) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        new = MOVED[module.__name__]
        warnings.warn(f"{module.__name__} is {new} now; the old path will go.", FutureWarning, stacklevel=2)
        module.__dict__.update({k: v for k, v in vars(import_module(new)).items() if not k.startswith("__")})


def take_old_paths() -> None:
    """Let module paths of earlier versions be imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
