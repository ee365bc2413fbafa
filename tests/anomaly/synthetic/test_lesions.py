"""Synthetic lesions: nothing changes outside the truth, and inside it changes by what was asked."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medunsup.anomaly.synthetic.lesions import insert, insert_level
from medunsup.anomaly.synthetic.shapes import drawn_from, ellipsoid, place, real_shapes, scaled
from medunsup.core.errors import InputError

SHAPE = (20, 22, 18)
SPACING = (2.0, 2.0, 2.0)
few = settings(max_examples=30, deadline=None)


def brain(seed=0):
    """A ball with textured intensities around 0.6 and one dark voxel, 0 outside."""
    index = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij"))
    mask = (index**2).sum(axis=0) < 0.9
    texture = 0.6 + 0.05 * np.random.default_rng(seed).normal(size=(1, *SHAPE))
    texture[0, 10, 11, 1] = 0.01
    return (texture * mask).astype(np.float32), mask


VALUES, MASK = brain()
SPREAD = np.full((1, *SHAPE), 0.05, np.float32)
volumes = st.floats(8, 2000)
seeds = st.integers(0, 10_000)


def drawn(volume, seed):
    generator = np.random.default_rng(seed)
    return place(ellipsoid(volume, generator, spacing_mm=SPACING), MASK, generator)


@few
@given(volumes, st.floats(-4, 4).filter(lambda c: abs(c) > 0.1), st.floats(0, 6), seeds)
def test_nothing_changes_outside_the_truth_and_every_voxel_inside_does(volume, contrast, edge, seed):
    made = insert(
        VALUES,
        MASK,
        drawn(volume, seed),
        contrast_sd=contrast,
        spread=SPREAD,
        spacing_mm=SPACING,
        edge_mm=edge,
    )
    is_changed = (made.values != VALUES)[0]
    assert (is_changed <= made.truth).all()
    assert (made.truth <= MASK).all()
    lowest = VALUES[0] == VALUES[0][MASK].min()
    assert is_changed[made.truth & ~lowest].all()


@few
@given(st.floats(-3, 3), seeds)
@example(-1.0, 191)  # this lesion holds the scan's darkest voxel
def test_core_is_shifted_by_the_contrast_times_the_healthy_deviation(contrast, seed):
    made = insert(
        VALUES, MASK, drawn(800, seed), contrast_sd=contrast, spread=SPREAD, spacing_mm=SPACING, edge_mm=0
    )
    wanted = np.maximum(VALUES[0] + contrast * 0.05, VALUES[0][MASK].min())  # never below the scan's darkest
    np.testing.assert_allclose(made.values[0][made.truth], wanted[made.truth], atol=1e-6)


def test_contrast_is_weighed_by_the_deviation_at_the_place_not_elsewhere():
    lesion = drawn(500, 1)
    spread = np.where(lesion, 0.02, 5.0)[None].astype(np.float32)
    made = insert(VALUES, MASK, lesion, contrast_sd=2, spread=spread, spacing_mm=SPACING, edge_mm=0)
    assert (made.values - VALUES)[0][lesion] == pytest.approx(0.04, abs=1e-6)


def test_each_channel_may_have_its_own_contrast():
    two, spread = np.repeat(VALUES, 2, axis=0), np.repeat(SPREAD, 2, axis=0)
    lesion = drawn(500, 2)
    made = insert(two, MASK, lesion, contrast_sd=(-2, 1), spread=spread, spacing_mm=SPACING, edge_mm=0)
    shift = (made.values - two)[:, lesion].mean(axis=1)
    np.testing.assert_allclose(shift, [-0.1, 0.05], atol=1e-6)


def test_edges_are_softer_than_the_core_which_is_reached():
    lesion = drawn(2000, 3)
    made = insert(VALUES, MASK, lesion, contrast_sd=2, spread=SPREAD, spacing_mm=SPACING, edge_mm=4)
    shift = (made.values - VALUES)[0][lesion]
    assert shift.max() == pytest.approx(0.1, abs=1e-6)
    assert shift.min() < 0.05


def test_a_very_dark_lesion_is_not_darker_than_the_darkest_voxel():
    made = insert(VALUES, MASK, drawn(500, 4), contrast_sd=-100, spread=SPREAD, spacing_mm=SPACING)
    assert made.values[0][MASK].min() == VALUES[0][MASK].min()


@few
@given(st.floats(0, 1), seeds)
def test_a_filled_lesion_has_one_intensity_in_its_core(level, seed):
    lesion = drawn(800, seed)
    made = insert_level(VALUES, MASK, lesion, level=level, spacing_mm=SPACING, edge_mm=0)
    np.testing.assert_allclose(made.values[0][lesion], level, atol=1e-6)
    assert (made.values[0] == VALUES[0])[~lesion].all()


def test_a_lesion_outside_the_brain_is_refused():
    with pytest.raises(InputError, match="outside the brain"):
        insert(VALUES, MASK, ~MASK, contrast_sd=1, spread=SPREAD, spacing_mm=SPACING)


@few
@given(volumes, seeds, st.sampled_from([(1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (1.0, 2.0, 3.0)]))
def test_ellipsoids_have_the_volume_asked_for(volume, seed, spacing):
    voxel = np.prod(spacing)
    shape = ellipsoid(volume, np.random.default_rng(seed), spacing_mm=spacing)
    assert abs(shape.sum() * voxel - max(volume, voxel)) <= voxel / 2 + 1e-6


@few
@given(st.floats(200, 2000), seeds)
def test_ellipsoids_are_not_cut_by_their_box(volume, seed):
    """A cut one would fill a face of its box as widely as its middle."""
    shape = ellipsoid(volume, np.random.default_rng(seed), spacing_mm=(1.0, 1.0, 1.0))
    for axis in range(3):
        widths = shape.sum(axis=tuple(other for other in range(3) if other != axis))
        assert max(widths[0], widths[-1]) < 0.7 * widths.max()


def test_flat_ellipses_lie_in_one_slice():
    shape = ellipsoid(400, np.random.default_rng(0), spacing_mm=SPACING, flat=True)
    assert shape.shape[2] == 1
    assert shape.sum() == 50


@few
@given(st.floats(30, 3000), seeds)
def test_real_shapes_are_scaled_to_the_volume_asked_for(volume, seed):
    comma = np.zeros((12, 9, 6), bool)
    comma[2:10, 3:6, 2:4], comma[8:10, 3:8, 2:5] = True, True
    shape = scaled(
        comma,
        volume,
        np.random.default_rng(seed),
        shape_spacing_mm=(1.0, 1.0, 1.0),
        spacing_mm=SPACING,
    )
    assert abs(shape.sum() * 8 - max(volume, 8)) <= 4


def test_a_real_shape_on_its_own_grid_and_volume_stays_itself_but_for_mirroring():
    cross = np.zeros((7, 7, 3), bool)
    cross[3, 1:6, 1], cross[1:6, 3, 1] = True, True
    (cut,) = real_shapes(cross, spacing_mm=(1.0, 1.0, 1.0), least_mm3=2)
    shape = scaled(
        cut, cut.sum(), np.random.default_rng(0), shape_spacing_mm=(1.0, 1.0, 1.0), spacing_mm=(1.0, 1.0, 1.0)
    )
    np.testing.assert_array_equal(shape, cut)


def test_lesions_drawn_from_rods_and_balls_are_rods_or_balls():
    rod, ball = np.ones((12, 1, 1), bool), np.ones((3, 3, 3), bool)
    draw = drawn_from([(rod, SPACING), (ball, SPACING)], spacing_mm=SPACING)
    longest = [max(draw(216.0, np.random.default_rng(seed)).shape) for seed in range(20)]
    assert {length >= 8 for length in longest} == {True, False}
    assert all(length <= 4 or length >= 8 for length in longest)


def test_components_of_a_real_mask_below_the_least_volume_are_left_out():
    lesions = np.zeros(SHAPE, bool)
    lesions[2, 2, 2], lesions[8:12, 8:12, 8:12] = True, True
    shapes = real_shapes(lesions, spacing_mm=SPACING, least_mm3=10)
    assert [shape.sum() for shape in shapes] == [64]


@few
@given(volumes, seeds)
def test_a_placed_lesion_lies_in_the_tissue_whole(volume, seed):
    generator = np.random.default_rng(seed)
    shape = ellipsoid(volume, generator, spacing_mm=SPACING)
    lesion = place(shape, MASK, generator)
    assert (lesion <= MASK).all()
    assert lesion.sum() == shape.sum()


def test_all_places_that_fit_are_drawn():
    tissue = np.zeros((6, 5, 4), bool)
    tissue[1:5, 1:4, 1:3] = True
    shape = np.ones((2, 2, 2), bool)
    generator = np.random.default_rng(0)
    corners = {tuple(np.argwhere(place(shape, tissue, generator))[0]) for _ in range(200)}
    assert corners == {(i, j, 1) for i in (1, 2, 3) for j in (1, 2)}


def test_without_a_place_the_best_share_is_named():
    tissue = np.zeros((6, 6, 6), bool)
    tissue[2:4, 2:4, 2] = True
    with pytest.raises(InputError, match="best holds 50%"):
        place(np.ones((2, 2, 2), bool), tissue, np.random.default_rng(0))
    cut = place(np.ones((2, 2, 2), bool), tissue, np.random.default_rng(0), least_inside=0.5)
    assert cut.sum() == 4
    with pytest.raises(InputError, match="does not fit"):
        place(np.ones((9, 2, 2), bool), tissue, np.random.default_rng(0))


def test_the_same_seed_inserts_the_same_lesion():
    np.testing.assert_array_equal(drawn(300, 5), drawn(300, 5))
    assert (drawn(300, 5) != drawn(300, 6)).any()
