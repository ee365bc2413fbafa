"""Two scans of one head: a motion between them is found, and another head or a mirror image is told."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import phantom
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.geometry import Grid
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.resample import crop, resampled
from medunsup.preprocess.registration.coarse_search import about, rotation
from medunsup.preprocess.registration.coregister import align

SHIFT_MM = st.tuples(*[st.floats(-10, 10)] * 3)
TURN_DEG = st.tuples(*[st.floats(-10, 10)] * 3)


@pytest.fixture(scope="module")
def coarse() -> phantom.Anatomy:
    return phantom.make_anatomy(spacing_mm=(5, 5, 5))


def moved(further: Volume, turn_deg, shift_mm) -> tuple[Volume, np.ndarray]:
    """The same scan with another header, and the true motion from the head's world to it."""
    motion = about(rotation(*turn_deg), np.array(shift_mm, dtype=float), np.zeros(3))
    return replace(further, affine=motion @ further.affine), motion


def error_mm(found, true, brain: Volume) -> float:
    """Mean distance over the brain between where two motions put it."""
    points = np.argwhere(brain.data) @ brain.affine[:3, :3].T + brain.affine[:3, 3]
    apart = points @ (found - true)[:3, :3].T + (found - true)[:3, 3]
    return float(np.linalg.norm(apart, axis=1).mean())


def test_a_pair_in_register_has_not_moved(coarse):
    found = align(coarse.image("T1w"), coarse.mask, coarse.image("T2w", seed=1))
    assert not found.has_moved
    assert found.moved_mm < 0.7
    assert not found.is_doubtful
    assert not found.is_mirrored
    assert not found.is_another_head


@pytest.mark.parametrize(("turn", "shift"), [((0, 0, 0), (0, 5, 0)), ((8, -4, 5), (-9, 3, 10))])
def test_a_motion_is_found_to_within_a_millimetre(coarse, turn, shift):
    further, true = moved(coarse.image("T2w", seed=1), turn, shift)
    found = align(coarse.image("T1w"), coarse.mask, further)
    assert found.has_moved
    assert error_mm(found.motion_mm, true, coarse.mask) < 1


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(turn=TURN_DEG, shift=SHIFT_MM, contrast=st.sampled_from(["T2w", "FLAIR", "PD"]))
def test_any_small_motion_is_found_to_within_a_millimetre(coarse, turn, shift, contrast):
    further, true = moved(coarse.image(contrast, seed=1), turn, shift)
    found = align(coarse.image("T1w"), coarse.mask, further)
    assert error_mm(found.motion_mm, true, coarse.mask) < 1


@pytest.mark.slow
def test_headers_that_do_not_meet_are_brought_together(coarse):
    further, true = moved(coarse.image("T2w", seed=1), (0, 0, 0), (300, -200, 500))
    found = align(coarse.image("T1w"), coarse.mask, further)
    assert error_mm(found.motion_mm, true, coarse.mask) < 1


def test_the_grid_of_the_further_scan_does_not_matter(coarse):
    thick = phantom.make_anatomy(spacing_mm=(3, 3, 6)).image("T2w", seed=1)
    further, true = moved(thick, (0, 0, 0), (6, 0, -6))
    found = align(coarse.image("T1w"), coarse.mask, further)
    assert error_mm(found.motion_mm, true, coarse.mask) < 1.5


def test_a_mirrored_scan_is_told_from_one_that_moved(coarse):
    further = coarse.image("T2w", seed=1)
    found = align(coarse.image("T1w"), coarse.mask, further.like(further.data[::-1].copy()))
    assert found.is_mirrored


@pytest.mark.slow
def test_another_head_is_told(coarse, head_maker):
    other = head_maker("T2w", spacing_mm=(5, 5, 5)).stripped()
    found = align(coarse.image("T1w"), coarse.mask, other.scan)
    assert found.is_another_head
    assert not found.is_mirrored


def test_a_head_whose_sides_are_alike_is_its_own_mirror_image_and_no_other(head_maker):
    t1, t2 = (head_maker(name, spacing_mm=(5, 5, 5)) for name in ("T1w", "T2w"))
    found = align(t1.scan, t1.brain, t2.scan)
    assert found.mirrored > 0.7
    assert not found.is_another_head
    assert not found.is_mirrored
    assert not found.has_moved


def test_a_scan_that_holds_nothing_of_the_head_is_another(coarse):
    further = coarse.image("T2w")
    found = align(coarse.image("T1w"), coarse.mask, further.like(np.zeros_like(further.data)))
    assert found.is_another_head


def test_what_part_of_the_brain_is_shown_is_told(coarse):
    whole = coarse.image("T2w", seed=1)
    i, j, k = whole.shape
    part = Volume(resampled(whole, Grid((i, j, k * 2 // 3), whole.affine)), whole.affine)
    found = align(coarse.image("T1w"), coarse.mask, part)
    assert found.covered == pytest.approx(
        coarse.mask.data[:, :, : part.shape[2]].sum() / coarse.mask.data.sum(), abs=0.05
    )
    assert not found.is_doubtful
    assert not found.has_moved


def test_a_few_slices_are_not_judged(coarse):
    image, mask = coarse.image("T1w"), coarse.mask
    middle = (slice(0, None), slice(0, None), slice(12, 15))
    assert align(crop(image, middle), replace(crop(mask, middle), kind="mask"), coarse.image("T2w")) is None
