"""Thick slices: the fit keeps grey matter narrow there, and the verdict says how far volumes may be off."""

from dataclasses import replace

import numpy as np
import pytest

from medunsup.core.labels import TISSUES
from medunsup.core.volume import Source, Volume
from medunsup.tissue.base import TissueInput
from medunsup.tissue.em.constraints import Constraints
from medunsup.tissue.em.gaussian_mixture import Gaussians
from medunsup.tissue.quality.thick import of_slices

MEANS = np.array([[0.5], [0.9], [0.1]])  # GM, WM, CSF


def data(*spacing_mm: float) -> TissueInput:
    empty = np.zeros((1, 2, 2, 2), np.float32)
    return TissueInput(empty, empty[0] > 0, spacing_mm, ("T1w",), TISSUES)


@pytest.mark.parametrize(("sd_gm", "kept"), [(0.03, 0.03), (0.07, 0.07), (0.12, 0.08)])
def test_grey_matter_is_at_most_twice_as_wide_as_white_matter(sd_gm, kept):
    order, variances = np.array([2, 0, 1]), np.array([sd_gm, 0.04, 0.05])[:, None, None] ** 2
    bounded = Constraints(order, 0.01, t1w=(0, 1, 2), widest_gm=2.0)(Gaussians(MEANS, variances))
    assert np.sqrt(bounded.covariances[0, 0, 0]) == pytest.approx(kept)
    assert bounded.covariances[1] == pytest.approx(variances[1])


@pytest.mark.parametrize("spacing_mm", [(1, 1, 1), (2, 2, 2), (0.5, 0.5, 2.9), (3, 3, 3)])
def test_nothing_is_held_against_thin_slices(spacing_mm):
    assert of_slices(data(*spacing_mm), None) is None


@pytest.mark.parametrize(
    ("spacing_mm", "near"),
    [
        ((0.5, 0.5, 3.0), 3),
        ((1.0, 2.999999, 1.0), 3),
        ((1, 1, 3.5), 3),
        ((5, 1, 1), 5),
        ((0.5, 6, 0.5), 5),
        ((1, 1, 9), 8),
    ],
)
def test_what_was_measured_at_the_nearest_thickness_is_told(spacing_mm, near):
    told = of_slices(data(*spacing_mm), None)
    assert f"Slices lie {round(max(spacing_mm), 2):g} mm apart" in told
    assert f"averaged to {near} mm" in told
    assert "2D" not in told


def test_a_2d_series_is_called_one():
    image = Volume(np.zeros((2, 2, 2), np.float32), np.diag([0.5, 0.5, 6.0, 1.0]))
    image = replace(image, source=Source("scan", "dicom", image.grid, notes={"acquisition": "2D"}))
    assert "2D series" in of_slices(data(*image.spacing_mm), image)
