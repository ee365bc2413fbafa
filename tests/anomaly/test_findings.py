"""Findings are listed with the volume, place and tissue they have."""

import numpy as np
import pytest

from medunsup.anomaly.findings import findings
from medunsup.core.geometry import Grid
from medunsup.preprocess.geometry.template import load_template

GRID = Grid((80, 96, 80), np.array([[2.0, 0, 0, -78], [0, 2, 0, -112], [0, 0, 2, -74], [0, 0, 0, 1]]))


def ball(center_mm, radius_mm=6.0) -> np.ndarray:
    index = np.indices(GRID.shape).reshape(3, -1)
    mm = GRID.affine[:3, :3] @ index + GRID.affine[:3, 3:]
    return (np.linalg.norm(mm - np.array(center_mm)[:, None], axis=0) < radius_mm).reshape(GRID.shape)


def listed(mask, score=None, template_to_scan=None, least_mm3=0.0):
    score = mask.astype(np.float32) if score is None else score
    return findings(
        mask,
        score,
        score,
        GRID,
        np.eye(4) if template_to_scan is None else template_to_scan,
        least_mm3=least_mm3,
    )


def test_largest_comes_first_with_its_volume_and_centre():
    _, found = listed(ball((30, 0, 20), 5) | ball((-30, 0, 20), 8))
    assert [one.index for one in found] == [1, 2]
    assert found[0].center_mm == pytest.approx((-30, 0, 20), abs=0.5)
    assert found[0].volume_mm3 == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.1)


@pytest.mark.parametrize(
    ("center_mm", "side", "place"),
    [
        ((-40, 40, 40), "left", "frontal lobe"),
        ((40, -70, -30), "right", "cerebellum or brain stem"),
        ((0, -15, 10), "midline", "deep brain"),
    ],
)
def test_place_is_told_in_words(center_mm, side, place):
    _, (one,) = listed(ball(center_mm))
    assert (one.side, one.place) == (side, place)


@pytest.mark.parametrize(("right_mm", "side"), [(25, "both"), (12, "left")])
def test_component_with_a_fifth_on_each_side_lies_on_both_wherever_its_centre_is(right_mm, side):
    x_mm = (GRID.affine[:3, :3] @ np.indices(GRID.shape).reshape(3, -1) + GRID.affine[:3, 3:])[0]
    across = (x_mm > -50) & (x_mm < right_mm)
    slab = across.reshape(GRID.shape)
    slab[:, :50], slab[:, 56:], slab[..., :45], slab[..., 50:] = False, False, False, False
    _, (one,) = listed(slab)
    assert one.center_mm[0] < -5
    assert one.side == side


def test_side_is_the_persons_also_when_the_head_lies_turned_in_the_scanner():
    turn = np.diag([-1.0, -1, 1, 1])
    _, (one,) = listed(ball((-40, 40, 40)), template_to_scan=turn)
    assert one.side == "right"


@pytest.mark.parametrize("tissue", ["wm", "csf"])
def test_tissue_is_that_of_the_template(tissue):
    part = getattr(load_template(), tissue)
    deep = np.argwhere(part.data > 0.98)
    center = part.affine[:3, :3] @ deep[len(deep) // 2] + part.affine[:3, 3]
    _, (one,) = listed(ball(center, 2.5))
    assert one.tissue == tissue.upper()
    assert 0.4 < one.tissue_share <= 1


def test_outside_the_template_is_said():
    _, (one,) = listed(ball((70, 70, 70), 5))
    assert one.tissue == "outside the template's brain"


def test_peak_lies_where_the_score_is_highest():
    mask = ball((30, 0, 20), 8)
    score = np.where(mask, 1, 0).astype(np.float32)
    score[ball((34, 2, 20), 1.5)] = 5
    _, (one,) = listed(mask, score)
    assert one.peak == 5
    assert np.linalg.norm(np.array(one.peak_mm) - (34, 2, 20)) < 2


def test_small_components_are_left_out_of_list_and_mask():
    mask, found = listed(ball((30, 0, 20), 8) | ball((-30, 0, 20), 2.5), least_mm3=500)
    assert len(found) == 1
    assert not mask[ball((-30, 0, 20), 2.5)].any()


def test_nothing_marked_gives_an_empty_list():
    mask, found = listed(np.zeros(GRID.shape, bool))
    assert found == ()
    assert not mask.any()
