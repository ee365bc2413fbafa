"""What may happen to a scan must not empty a tissue, move its volume or spoil what lies around it."""

import numpy as np
import pytest
from helpers.phantom import Anatomy, make_anatomy
from scipy.ndimage import binary_dilation, gaussian_filter

from medunsup.core.labels import TISSUES
from medunsup.core.registry import method
from medunsup.metrics.segmentation import dice
from medunsup.preprocess.intensity.normalize import FENCES, winsorize_and_scale
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.priors import log_weights


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    """A brain of half the size at 2 mm: 23,000 voxels."""
    return make_anatomy(spacing_mm=(2.0, 2.0, 2.0), scale=0.6)


def segmented(anatomy: Anatomy, image: np.ndarray, fluid_as_gm: float = 0.0) -> TissueMethod:
    """Fit with priors as a template gives them: the truth, smeared over 5 mm.

    `fluid_as_gm` is the share of CSF that the priors call GM, as where a brain has shrunk.
    """
    mask = anatomy.mask.data
    gm, wm, csf = (gaussian_filter(share, 2.5) for share in anatomy.fractions[:3])
    smeared = np.stack([gm + fluid_as_gm * csf, wm, (1 - fluid_as_gm) * csf]) + 0.02
    priors = (smeared / smeared.sum(axis=0)).astype(np.float32) * mask
    scaled = winsorize_and_scale(image, mask, fence=FENCES["T1w"])[None]
    spacing = tuple(np.abs(np.diag(anatomy.affine)[:3]).tolist())
    return method("tissue", "atlas_gmm")().fit(TissueInput(scaled, mask, spacing, ("T1w",), TISSUES, priors))


def over_truth(anatomy: Anatomy, fitted: TissueMethod) -> np.ndarray:
    """Volumes over the true ones inside the mask."""
    true = anatomy.fractions[:3, anatomy.mask.data].sum(axis=1)
    return fitted.fractions_.sum(axis=(1, 2, 3)) / true


@pytest.mark.parametrize("noise", [0.03, 0.09])
@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_noise_and_bias_empty_no_tissue(anatomy, noise, bias):
    fitted = segmented(anatomy, anatomy.image("T1w", noise=noise, bias=bias).data)
    ratios = over_truth(anatomy, fitted)
    assert ((ratios > 0.5) & (ratios < 2)).all(), ratios


def test_priors_of_another_age_do_not_turn_fluid_into_grey_matter(anatomy):
    fitted = segmented(anatomy, anatomy.image("T1w", noise=0.05).data, fluid_as_gm=0.8)
    ratios = over_truth(anatomy, fitted)
    assert ((ratios > 0.8) & (ratios < 1.25)).all(), ratios


@pytest.mark.parametrize("levels", [(400,), (0,), (400, 0)])
def test_scattered_outliers_empty_no_tissue(anatomy, levels):
    image = anatomy.image("T1w").data
    index, rng = np.argwhere(anatomy.mask.data), np.random.default_rng(0)
    for level in levels:
        image[tuple(rng.permutation(index)[: len(index) // 100].T)] = level
    ratios = over_truth(anatomy, segmented(anatomy, image))
    assert ((ratios > 0.5) & (ratios < 2)).all(), ratios


def test_fresh_noise_hardly_changes_the_volumes(anatomy):
    volumes = np.array(
        [over_truth(anatomy, segmented(anatomy, anatomy.image("T1w", seed=seed).data)) for seed in range(4)]
    )
    variation = volumes.std(axis=0, ddof=1) / volumes.mean(axis=0)
    assert (variation <= 0.01).all(), variation


@pytest.mark.parametrize("level", [30, 130])
def test_lesions_in_white_matter_cost_nothing_outside_them(anatomy, level):
    image, truth = anatomy.image("T1w").data, anatomy.labels.data
    rng = np.random.default_rng(1)
    seeds = np.zeros(truth.shape, dtype=bool)
    seeds[tuple(rng.permutation(np.argwhere(truth == 2))[:40].T)] = True
    lesion = binary_dilation(seeds, iterations=2) & (truth == 2)
    before = segmented(anatomy, image).labels_
    after = segmented(anatomy, np.where(lesion, np.float32(level), image)).labels_
    outside = anatomy.mask.data & ~lesion
    lost = [
        dice(before, truth, tissue.index, where=outside) - dice(after, truth, tissue.index, where=outside)
        for tissue in TISSUES
    ]
    assert lesion.sum() > 0.03 * (truth == 2).sum()
    assert max(lost) <= 0.01, lost


def test_bright_lesions_leave_the_gaussians_of_the_tissues_alone(anatomy):
    image, truth = anatomy.image("T1w").data, anatomy.labels.data
    rng = np.random.default_rng(2)
    seeds = np.zeros(truth.shape, dtype=bool)
    seeds[tuple(rng.permutation(np.argwhere(truth == 2))[:40].T)] = True
    lesion = binary_dilation(seeds, iterations=2) & (truth == 2)
    healthy = segmented(anatomy, image).components_
    sick = segmented(anatomy, np.where(lesion, np.float32(2.5 * image[truth == 2].mean()), image)).components_
    for before, after in zip(healthy, sick, strict=True):
        assert after.sd[0] / sick[1].mean[0] == pytest.approx(before.sd[0] / healthy[1].mean[0], rel=0.1)


def test_deep_trust_speaks_where_the_prior_is_sure_of_white_matter_and_nowhere_else():
    wm = np.array([0.05, 0.5, 0.8, 0.95], dtype=np.float32)
    csf = np.full(4, 0.02, dtype=np.float32)
    priors = np.stack([1 - wm - csf, wm, csf])[:, :, None, None]
    given = {"csf_trust": 0.7, "gm_wm_trust": 0.4, "blur_mm": 0.0, "floor": 0.01}
    mask = np.ones((4, 1, 1), dtype=bool)
    soft, deep = (log_weights(priors, mask, (1.0, 1.0, 1.0), **given, deep_wm=trust) for trust in (0.0, 3.0))
    gain = (deep[1] - deep[0]) - (soft[1] - soft[0])
    assert gain[0] == 0
    assert 0 <= gain[1] < 0.01
    assert gain[1] < gain[2] < gain[3]
    assert gain[3] > 1
    np.testing.assert_allclose(deep[2], soft[2], atol=1e-6)
