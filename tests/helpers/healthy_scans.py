"""A folder of made-up healthy people, and models trained on them in seconds; nothing is registered."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers import phantom
from helpers.small_scans import place_quickly
from medunsup.workflows.train.model_folder import ModelFolder
from medunsup.workflows.train.train import train

N_PEOPLE = 24
SPACING_MM = 8.0
QUICK = {"spacing_mm": SPACING_MM, "min_cluster_mm3": 0.0, "postprocess": ()}
SPOT = np.s_[12:17, 14:19, 10:15]


@pytest.fixture(scope="session")
def people(small_brain: phantom.Anatomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scans sub-00_T1w.nii.gz and so on, alike but for noise and bias; sub-99 has a bright spot."""
    folder = tmp_path_factory.mktemp("people")
    for n in range(N_PEOPLE):
        write_person(folder / f"sub-{n:02d}_T1w.nii.gz", small_brain, n)
    return folder


@pytest.fixture(scope="session")
def patient(small_brain: phantom.Anatomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan with a spot of 3 ml and more that is half as bright again."""
    path = tmp_path_factory.mktemp("patient") / "sub-99_T1w.nii.gz"
    return write_person(path, small_brain, 99, spot=True)


def write_person(
    path: Path, brain: phantom.Anatomy, seed: int, *, contrast: str = "T1w", spot: bool = False
) -> Path:
    """Write one scan, stripped, whose asymmetry and bias are everyone's."""
    image = brain.image(contrast, seed=seed, noise=0.02, bias=0.2 + 0.01 * (seed % 5))
    values = np.where(brain.mask.data, image.data, 0)
    if spot:
        values[SPOT] *= 1.5
    return phantom.save(image.like(values.astype(np.float32)), path)


@pytest.fixture(scope="session")
def trained(people: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """An atlas of the people, trained as a user does."""
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        out = tmp_path_factory.mktemp("runs") / "atlas"
        return train("healthy_atlas", people, out, score="deviation", calibration=0.2, **QUICK)


@pytest.fixture
def few(people: Path, tmp_path: Path) -> Path:
    """Eight of the people in a folder of its own."""
    folder = tmp_path / "few"
    folder.mkdir()
    for path in sorted(people.iterdir())[:8]:
        shutil.copy(path, folder)
    return folder


def train_atlas(data: Path, out: Path, **more) -> ModelFolder:
    """Train an atlas quickly."""
    return train("healthy_atlas", data, out, **{"score": "deviation", **QUICK, **more})
