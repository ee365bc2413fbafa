"""Air that is noise of full range is darkened; air that is dark already is left as it is."""

import numpy as np
import pytest
from helpers.phantom import make_anatomy
from scipy import ndimage

from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.noisy_air import _faces, _noise, _noise_at_faces, with_still_air

HEAD = make_anatomy(spacing_mm=(2.0, 2.0, 2.0), head=True, supersample=1)
AIR = HEAD.fractions.sum(axis=0) == 0
DEEP_AIR = ndimage.binary_erosion(AIR, iterations=4)


@pytest.mark.parametrize("brightest", [120, 240, 350])
def test_noise_as_bright_as_tissue_is_darkened_below_all_tissue_which_stays(brightest):
    scan = HEAD.image(bias=0.0)
    noise = np.random.default_rng(0).uniform(0, brightest, scan.shape)
    step = Step("brain mask")
    still = with_still_air(scan.like(np.where(AIR, noise, scan.data).astype(np.float32)), step)
    assert len(step.warnings) == 1
    assert still.data[DEEP_AIR].mean() < np.percentile(scan.data[HEAD.mask.data], 0.5)
    inner = ndimage.binary_erosion(HEAD.mask.data, iterations=6)
    assert abs(still.data - scan.data)[inner].mean() < 1


@pytest.mark.parametrize("contrast", ["T1w", "T2w", "FLAIR", "PD"])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1])
def test_a_scan_in_dark_air_is_left_as_it_is(contrast, noise):
    scan, step = HEAD.image(contrast, noise=noise), Step("brain mask")
    assert with_still_air(scan, step) is scan
    assert step.warnings == []


@pytest.mark.parametrize("shape", [(40, 33, 27), (1, 20, 9), (2, 3, 60)])
def test_the_noise_at_the_faces_is_the_same_without_the_rest_of_the_scan(shape):
    values = np.random.default_rng(0).gamma(2, 100, shape).astype(np.float32)
    scan, at_faces = Volume(values, np.diag([0.8, 1.1, 2.0, 1.0])), _faces(shape)
    everywhere = _noise(scan.data, scan.spacing_mm)
    np.testing.assert_array_equal(_noise_at_faces(scan)[at_faces], everywhere[at_faces])
