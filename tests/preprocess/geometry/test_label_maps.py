"""Labels keep their volume on any grid, wherever a lesion begins."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medunsup.core.geometry import Grid
from medunsup.preprocess.geometry.label_maps import resampled_labels

SHAPE = (22, 20, 18)
TURN = np.eye(4)
TURN[:3] = [[0.97, -0.15, 0.05, 3], [0.16, 0.95, 0.1, -2], [-0.03, -0.11, 1.02, 1]]
sides = st.tuples(*[st.integers(2, 6)] * 3)
firsts = st.tuples(*[st.integers(5, 11)] * 3)


def box(first, size, label: int = 1) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[tuple(slice(start, start + count) for start, count in zip(first, size, strict=True))] = label
    return labels


def grid_of(spacing_mm: float, own_mm: float) -> Grid:
    """Hold all that lies within SHAPE voxels of `own_mm`, turned or not, with a margin."""
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -6 * own_mm
    i, j, k = (int((side + 12) * own_mm / spacing_mm) for side in SHAPE)
    return Grid((i, j, k), affine)


@settings(max_examples=60, deadline=None)
@given(firsts, sides, st.sampled_from([(2, 1), (1, 2), (3, 1), (2, 3), (1, 1), (1.2, 1)]), st.booleans())
def test_a_lesion_keeps_its_volume_whatever_the_parity_of_its_first_voxel(first, size, spacings, is_turned):
    own_mm, spacing_mm = spacings
    affine = (TURN if is_turned else np.eye(4)) @ np.diag([own_mm] * 3 + [1.0])
    found = resampled_labels(box(first, size), affine, grid_of(spacing_mm, own_mm))
    volume_mm3 = np.prod(size) * np.linalg.det(affine)
    assert abs(found.sum() * spacing_mm**3 - volume_mm3) <= 0.501 * spacing_mm**3
    assert set(np.unique(found)) <= {0, 1}


@pytest.mark.parametrize("first", [(5, 5, 5), (6, 5, 8), (6, 6, 6)])
def test_a_cube_stays_a_cube_where_voxels_are_halved(first):
    found = resampled_labels(box(first, (3, 3, 3)), np.diag([2, 2, 2, 1.0]), grid_of(1, 2))
    assert [np.ptp(axis) + 1 for axis in np.nonzero(found)] == [6, 6, 6]
    assert found.sum() == 216


@settings(max_examples=30, deadline=None)
@given(firsts, st.sampled_from([(2, 1), (1, 2), (2, 3), (1, 1)]), st.booleans())
@example((10, 5, 11), (1, 2), True)  # 4 voxels
def test_labels_that_touch_leave_no_gap_and_keep_their_volumes(first, spacings, is_turned):
    own_mm, spacing_mm = spacings
    labels = box(first, (6, 6, 6), 7)
    labels[tuple(slice(start, start + count) for start, count in zip(first, (3, 6, 6), strict=True))] = 3
    affine = (TURN if is_turned else np.eye(4)) @ np.diag([own_mm] * 3 + [1.0])
    grid = grid_of(spacing_mm, own_mm)
    found, whole = (resampled_labels(one, affine, grid) for one in (labels, (labels > 0).astype(np.uint8)))
    np.testing.assert_array_equal(found > 0, whole > 0)
    for label in (3, 7):
        volume_mm3 = (labels == label).sum() * np.linalg.det(affine)
        error_mm3 = abs((found == label).sum() * spacing_mm**3 - volume_mm3)
        assert error_mm3 <= 0.01 * volume_mm3 + 5.5 * spacing_mm**3


def test_on_its_own_grid_a_map_stays_as_it_is():
    labels = np.random.default_rng(0).integers(0, 5, SHAPE)
    affine = np.diag([2.0, 1.5, 1, 1])
    np.testing.assert_array_equal(resampled_labels(labels, affine, Grid(SHAPE, affine)), labels)


def test_beyond_the_map_there_is_nothing():
    far = np.eye(4)
    far[:3, 3] = 500
    assert not resampled_labels(np.ones(SHAPE, np.int16), np.eye(4), Grid((8, 8, 8), far)).any()
    assert not resampled_labels(np.zeros(SHAPE, np.int16), np.eye(4), Grid((8, 8, 8), np.eye(4))).any()
