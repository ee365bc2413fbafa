"""On real scans: faults made on purpose are flagged, new healthy scans are not; others set the limits."""

from pathlib import Path

import numpy as np
import pytest
from helpers import phantom
from scipy import ndimage
from scipy.spatial.transform import Rotation

from medunsup.anomaly.distribution_shift import DataCard, flags, learn_card
from medunsup.cohort.prepare import prepare
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.core.volume import Volume
from medunsup.io.load import load
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.preprocess.intensity.reference_scale import healthy_scale
from medunsup.training.scan_stack import Scans

pytestmark = [pytest.mark.data, pytest.mark.slow]

SPACE = ModelSpace()
TRAIN, NEW = range(1, 61), range(61, 67)
DRAWS = 5
CAUGHT = 0.95
# GM, WM and CSF lie near 0.5, 0.73 and 0.1: what other contrasts make of intensities from dark to bright.
CONTRASTS = {
    "T2w": ([0, 0.15, 0.48, 0.72, 2], [1.5, 1.5, 0.8, 0.55, 0.4]),
    "FLAIR": ([0, 0.15, 0.3, 0.48, 0.72, 2], [0.05, 0.1, 0.45, 0.9, 0.68, 0.6]),
    "PD": ([0, 0.15, 0.48, 0.72, 2], [1.0, 1.0, 0.85, 0.7, 0.5]),
    "inverted": ([0, 2], [2, 0]),
}


def scan_of(data_dir: Path, number: int) -> Path:
    return data_dir / "healthy_t1_2mm" / f"sub-{number:02d}_T1w.nii.gz"


@pytest.fixture(scope="module")
def known(data_dir: Path) -> Scans:
    made = [prepare(ScanRequest(scan_of(data_dir, n)), SPACE.spacing_mm) for n in TRAIN]
    return Scans(np.stack([one.values for one in made]), np.stack([one.mask for one in made]))


@pytest.fixture(scope="module")
def card(known: Scans) -> DataCard:
    return learn_card(known, coarsest_mm=2.0, middle=SPACE.middle)


@pytest.fixture(scope="module")
def healthy(data_dir: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    made = [prepare(ScanRequest(scan_of(data_dir, n)), SPACE.spacing_mm) for n in NEW]
    return [(one.values, one.mask) for one in made]


def named(card: DataCard, values: np.ndarray, mask: np.ndarray) -> set[str]:
    return {flag.name for flag in flags(card, values, mask, coarsest_mm=2.0)}


def share_caught(card, healthy, fault) -> float:
    made = [
        fault(values[0], mask, np.random.default_rng([n, k]))
        for n, (values, mask) in enumerate(healthy)
        for k in range(DRAWS)
    ]
    return float(np.mean([bool(named(card, values[None], mask)) for values, mask in made]))


def test_new_healthy_scans_are_not_flagged(card, healthy):
    assert [named(card, values, mask) for values, mask in healthy] == [set()] * len(NEW)


def test_at_most_one_in_twenty_of_the_scans_that_set_the_limits_lies_beyond_them(card, known):
    assert np.mean([bool(named(card, values, mask)) for values, mask in known]) <= 0.05


def test_same_people_as_they_came_from_the_scanner_are_not_flagged(card, data_dir):
    paths = sorted((data_dir / "healthy_t1_raw").glob("*.nii.gz"))
    assert paths
    for path in paths:
        made = prepare(ScanRequest(path), SPACE.spacing_mm)
        assert named(card, made.values, made.mask) == set()


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_other_contrasts_are_flagged(card, healthy, contrast):
    def fault(values, mask, generator):
        other = np.interp(values, *CONTRASTS[contrast]) + generator.normal(0, 0.02, values.shape)
        return healthy_scale(other.astype(np.float32), mask, SPACE.tissues)[0], mask

    assert share_caught(card, healthy, fault) >= CAUGHT


@pytest.mark.parametrize("contrast", ["T2", "FLAIR"])
@pytest.mark.parametrize("patient", ["patient07", "patient19"])
def test_real_scans_of_another_contrast_are_flagged_even_if_called_t1w(card, data_dir, patient, contrast):
    request = ScanRequest(data_dir / "ms" / patient / f"{contrast}.nii.gz", ReadSettings(contrast="T1w"))
    made = prepare(request, SPACE.spacing_mm)
    assert named(card, made.values, made.mask) & {"pattern", "intensities"}


def test_skull_left_on_is_flagged(card, healthy):
    def fault(values, mask, generator):
        away_mm = ndimage.distance_transform_edt(~mask) * SPACE.spacing_mm
        bone_mm = generator.uniform(2, 5)
        head = away_mm < bone_mm + generator.uniform(4, 8)
        scalp = np.where(away_mm < bone_mm, 0.05, generator.uniform(0.7, 1.1))
        seen = np.where(mask, values, np.where(head, scalp, 0)).astype(np.float32)
        return healthy_scale(seen, head, SPACE.tissues)[0], head

    assert share_caught(card, healthy, fault) >= CAUGHT


def moved(values, mask, shift_mm, turn_deg):
    turn = Rotation.from_rotvec(turn_deg, degrees=True).as_matrix()
    center = (np.array(mask.shape) - 1) / 2
    offset = center - turn @ center - turn @ shift_mm / SPACE.spacing_mm
    there = ndimage.affine_transform(mask.astype(np.float32), turn, offset, order=1) > 0.5
    data = ndimage.affine_transform(values, turn, offset, order=1) * there
    return healthy_scale(data, there, SPACE.tissues)[0], there


def direction(generator) -> np.ndarray:
    drawn = generator.normal(size=3)
    return drawn / np.linalg.norm(drawn)


@pytest.mark.parametrize("shift_mm", [10, 15, 25])
def test_brain_shifted_off_the_template_is_flagged(card, healthy, shift_mm):
    def fault(values, mask, generator):
        return moved(values, mask, shift_mm * direction(generator), np.zeros(3))

    assert share_caught(card, healthy, fault) >= CAUGHT


@pytest.mark.parametrize("turn_deg", [20, 30, 90])
def test_brain_turned_off_the_template_is_flagged(card, healthy, turn_deg):
    def fault(values, mask, generator):
        return moved(values, mask, np.zeros(3), turn_deg * direction(generator))

    assert share_caught(card, healthy, fault) >= CAUGHT


def test_a_left_right_flip_in_the_file_is_flagged(card, data_dir, tmp_path):
    for number in NEW:
        scan = load(scan_of(data_dir, number))
        flipped = phantom.save(
            Volume(scan.data[::-1].copy(), scan.affine), tmp_path / f"sub-{number}_T1w.nii.gz"
        )
        made = prepare(ScanRequest(flipped), SPACE.spacing_mm)
        assert "side" in named(card, made.values, made.mask)
