"""What a score finds of synthetic lesions: all if it knows the healthy scan, nothing if it is blind."""

import numpy as np
import pytest

from medunsup.anomaly.synthetic.sensitivity import (
    SyntheticLesions,
    blind_spot_curve,
    sensitivity_surface,
    threshold_at,
)
from medunsup.training.scan_stack import Scans

N, SHAPE, SPACING = 3, (16, 16, 12), (2.0, 2.0, 2.0)
GENERATOR = np.random.default_rng(0)
MASKS = np.zeros((N, *SHAPE), bool)
MASKS[:, 2:14, 2:14, 1:11] = True
HEALTHY = (0.5 + 0.02 * GENERATOR.normal(size=(N, 1, *SHAPE)) * MASKS[:, None]).astype(np.float32)
HEALTHY *= MASKS[:, None]
SCANS = Scans(HEALTHY, MASKS)
SPREAD = np.full((1, *SHAPE), 0.02, np.float32)
LESIONS = SyntheticLesions(spacing_mm=SPACING, repeats=2, edge_mm=0)


def distance_from_grey(values, mask):
    return (np.abs(values[0] - 0.5) * mask).astype(np.float32)


def brightness(values, mask):
    return (values[0] * mask).astype(np.float32)


def surface(score_map, **changes):
    options = {"threshold": 0.1, "volumes_mm3": (64, 800), "contrasts_sd": (0, 1, 10), "spread": SPREAD}
    return sensitivity_surface(score_map, SCANS, LESIONS, **{**options, **changes})


def test_strong_contrast_is_found_always_and_none_by_chance():
    found = surface(distance_from_grey)
    assert found.found.shape == found.average_precision.shape == (2, 3, N * 2)
    assert found.sensitivity[:, 2].tolist() == [1, 1]
    assert found.sensitivity[:, 0].tolist() == [0, 0]
    assert found.false_positives == 0


def test_average_precision_rises_from_the_prevalence_with_contrast():
    found = surface(distance_from_grey)
    mean = found.average_precision.mean(axis=-1)
    assert (np.diff(mean, axis=1) > 0).all()
    assert mean[1, 0] == pytest.approx(found.prevalence[1, 0].mean(), abs=0.03)
    assert mean[1, 2] == pytest.approx(1, abs=0.01)


def test_false_positives_are_counted_in_the_scans_before_lesions_are_inserted():
    assert surface(distance_from_grey, threshold=0.05).false_positives > 1


@pytest.mark.parametrize("allowed", [1, 4])
def test_threshold_at_so_many_false_alarms_lets_through_so_many_and_hardly_fewer(allowed):
    threshold = threshold_at(distance_from_grey, SCANS, allowed, voxel_mm3=8.0)
    assert allowed - 0.7 <= surface(distance_from_grey, threshold=threshold).false_positives <= allowed


def test_a_brightness_score_is_blind_to_dark_lesions_and_a_distance_to_grey_ones():
    levels = (0.0, 0.5, 1.0)
    options = {"threshold": 0.1, "levels": levels, "volume_mm3": 400}
    bright = blind_spot_curve(brightness, SCANS, LESIONS, **{**options, "threshold": 0.6})
    distant = blind_spot_curve(distance_from_grey, SCANS, LESIONS, **options)
    assert bright.sensitivity.tolist() == [0, 0, 1]
    assert distant.sensitivity.tolist() == [1, 0, 1]
    assert distant.average_precision.mean(axis=-1)[1] < 2 * distant.prevalence.mean()


def test_the_same_seed_gives_the_same_surface_and_another_seed_other_places():
    again = surface(distance_from_grey)
    np.testing.assert_array_equal(again.average_precision, surface(distance_from_grey).average_precision)
    other = SyntheticLesions(spacing_mm=SPACING, repeats=2, edge_mm=0, seed=1)
    assert any(
        (one != two).any()
        for one, two in zip(LESIONS.lesions(SCANS, 64), other.lesions(SCANS, 64), strict=True)
    )


def test_single_slices_are_inserted_with_flat_lesions():
    slices = Scans(HEALTHY[..., 5:6], MASKS[..., 5:6])
    lesions = LESIONS.lesions(slices, 160)
    assert [lesion.sum() for lesion in lesions] == [20] * 6


def test_lesions_lie_in_the_tissue_asked_for():
    tissue = np.zeros(SHAPE, bool)
    tissue[4:10, 4:10, 4:10] = True
    lesions = SyntheticLesions(spacing_mm=SPACING, tissue=tissue).lesions(SCANS, 64)
    assert all((lesion <= tissue).all() for lesion in lesions)
