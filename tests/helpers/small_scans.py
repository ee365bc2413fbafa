"""Fixtures for the tests of whole runs: small scans, and preparation that costs next to nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers import phantom


@pytest.fixture(scope="session")
def small_brain() -> phantom.Anatomy:
    """A brain at 5 mm; fractions are 27ths, which no binary number hits."""
    return phantom.make_anatomy(spacing_mm=(5, 5, 5), supersample=3)


@pytest.fixture
def make_scan(small_brain: phantom.Anatomy, tmp_path: Path) -> Callable[..., Path]:
    """Write a scan of the small brain, stripped of what lies outside it, under any name."""

    def make(name: str = "scan.nii.gz", contrast: str = "T1w", seed: int = 0, axes: str = "LPS") -> Path:
        image = small_brain.image(contrast, seed=seed)
        image = image.like(np.where(small_brain.mask.data, image.data, 0))
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return phantom.save(image, path, axes=axes)

    return make


@pytest.fixture
def quick_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the template as lying on the phantom already, and cut the fit of a bias that it has not.

    Both save seconds a scan; tests of registration and of bias do without.
    """
    place_quickly(monkeypatch)


def place_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the fixture does, for fixtures of a wider scope."""
    from medunsup.preprocess.brain_extraction import brain_mask
    from medunsup.preprocess.intensity import bias
    from medunsup.preprocess.registration import affine

    def place(image, mask, *, step, **more):  # type: ignore[no-untyped-def]
        template_to_scan = np.eye(4)
        template_to_scan[:3, 3] = (0, 18, -10)
        return affine.Registration(template_to_scan, 0.5, fits=True)

    def find(image, *, step, **more):  # type: ignore[no-untyped-def]
        return given(image, image.like(image.data > 0, kind="mask"), step=step)

    def given(image, mask, *, step):  # type: ignore[no-untyped-def]
        return brain_mask.Brain(mask, place(image, mask, step=step), is_stripped=True)

    monkeypatch.setattr(bias, "ITERATIONS", (2,))
    monkeypatch.setattr(affine, "register_template", place)
    monkeypatch.setattr(brain_mask, "find_brain", find)
    monkeypatch.setattr(brain_mask, "place_given", given)
