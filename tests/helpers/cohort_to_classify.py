"""Made-up scans of subjects, a table of their labels, and an encoder that was pretrained on the first few."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import medunsup
from helpers import phantom
from helpers.healthy_scans import SPACING_MM
from helpers.small_scans import place_quickly


def write_unlike(folder: Path, brain: phantom.Anatomy, n: int, *, contrast: str = "T1w") -> None:
    """Write a subject whose tissue varies smoothly by itself, so that no two scans are nearly alike."""
    image = brain.image(contrast, seed=n, noise=0.02)
    field = gaussian_filter(np.random.default_rng(n).normal(size=image.data.shape), 2)
    values = image.data * (1 + 0.2 * field / field.std()) * brain.mask.data
    phantom.save(image.like(values.astype(np.float32)), folder / f"sub-{n:02d}_{contrast}.nii.gz")


def write_cohort(
    folder: Path, brain: phantom.Anatomy, *, pretrained: int, subjects: int, parameters: Mapping[str, Any]
) -> Path:
    """Write `scans` of all subjects, `labels.csv` (every other is AD), and `run`, which has seen a few."""
    for name, members in (("seen", range(pretrained)), ("scans", range(subjects))):
        (folder / name).mkdir()
        for n in members:
            write_unlike(folder / name, brain, n)
    rows = [f"sub-{n:02d},{60 + n},{'AD' if n % 2 else 'HC'}" for n in range(subjects)]
    (folder / "labels.csv").write_text("\n".join(["subject,age,diagnosis", *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        medunsup.pretrain(
            "autoencoder", folder / "seen", folder / "run", parameters=parameters, spacing_mm=SPACING_MM
        )
    return folder
