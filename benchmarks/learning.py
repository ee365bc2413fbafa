"""What the benchmarks of learned models share: the healthy scans as models see them, and models by name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tissue import DATA

from medunsup.anomaly.factory import build_model
from medunsup.io.load import load
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.preprocess.intensity.reference_scale import healthy_scale
from medunsup.training.scan_stack import Scans


def healthy_files() -> list[Path]:
    """Healthy T1w scans at 2 mm, in the order of their subjects; none without the data."""
    return sorted((DATA / "healthy_t1_2mm").glob("sub-*_T1w.nii.gz"))


def on_template_grid(files: Sequence[Path]) -> Scans:
    """Read scans that lie on the template grid already, named by subject."""
    space, unmoved = ModelSpace(), np.eye(4)
    values, masks = [], []
    for file in files:
        scan = load(file)
        mask = space.to_template_grid(scan.like((scan.data > 0).astype(np.float32)), unmoved) > 0.5
        values.append(healthy_scale(space.to_template_grid(scan, unmoved), mask, space.tissues)[0][None])
        masks.append(mask)
    return Scans(np.stack(values), np.stack(masks), tuple(file.name[:6] for file in files))


def model_with(name: str, fields: Mapping[str, Any]) -> Any:
    """Build a model with those of the fields that its config knows."""
    known = type(build_model(name)).Config.model_fields
    return build_model(name, {key: value for key, value in fields.items() if key in known})
