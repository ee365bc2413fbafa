"""What a record says of any result: which software made it, and values as JSON can hold them."""

import math
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.core.version import __version__

PACKAGES = ("numpy", "scipy", "simpleitk", "nibabel", "pydicom", "highdicom", "nilearn", "scikit-learn")


def generated_by() -> dict[str, Any]:
    """Name and version of what made a file."""
    return {"Name": "medunsup", "Version": __version__}


@cache
def package_versions() -> dict[str, str]:
    """Versions of the packages the numbers depend on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """Turn findings into what JSON can hold: numpy values become numbers, NaN null, paths bare names."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.name if isinstance(value, Path) else value
