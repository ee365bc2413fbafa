"""Areas that are the same in all healthy scans teach nothing, and count once a scan differs there."""

import numpy as np
import pytest
from helpers.healthy_arrays import healthy

import medunsup
from medunsup.anomaly.flat import FlatVoxels
from medunsup.training.scan_stack import Scans

SCANS, NEW = healthy(10), healthy(3, seed=5)
BAND = np.s_[..., :5]
PATCHES = {"on": "patches", "stride": 1, "n_rows": 1500}


def with_band(scans: Scans, level: float = 1.0) -> np.ndarray:
    values = scans.values.copy()
    values[BAND] = level
    return values


@pytest.mark.parametrize("score", ["lof", "mcd", "ecod", "knn"])
def test_a_band_of_one_grey_changes_the_map_of_the_rest_no_more_than_a_mask_without_it(score):
    everywhere = np.ones(SCANS.masks.shape, bool)
    rest = everywhere.copy()
    rest[BAND] = False
    detector = medunsup.Detector(model="healthy_atlas", score=score, score_params=PATCHES)
    banded = detector.fit(with_band(SCANS), masks=everywhere).score_map(with_band(NEW), masks=everywhere[:3])
    without = detector.fit(SCANS.values, masks=rest).score_map(NEW.values, masks=rest[:3])
    np.testing.assert_array_equal(banded, without)


def test_a_scan_that_differs_in_a_flat_area_stands_out_there():
    everywhere = np.ones(SCANS.masks.shape, bool)
    detector = medunsup.Detector(model="healthy_atlas", score="knn", score_params=PATCHES)
    odd = with_band(NEW)
    odd[:, :, 5:8, 5:8, 1:3] = 0.2
    found = detector.fit(with_band(SCANS), masks=everywhere).score_map(odd, masks=everywhere[:3])
    for one in found:
        assert one[5:8, 5:8, 1:3].min() > np.quantile(one, 0.9)


def test_stored_and_read_flat_voxels_are_the_same_and_none_leave_nothing_behind():
    flat = FlatVoxels.of(Scans(with_band(SCANS), np.ones(SCANS.masks.shape, bool)))
    again = FlatVoxels.of_state(flat.state())
    np.testing.assert_array_equal(again.levels, flat.levels)
    assert not np.isnan(flat.levels[BAND]).any()
    assert FlatVoxels.of(SCANS).state() == {}


def test_two_scans_that_agree_by_chance_make_no_flat_area():
    assert FlatVoxels.of(Scans(with_band(SCANS)[:2], np.ones((2, *SCANS.shape[1:]), bool))).state() == {}
