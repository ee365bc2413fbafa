"""Residual scores against plain NumPy, SciPy and the formulas of their papers."""

import numpy as np
import pytest
from helpers.healthy_arrays import Blurring, healthy, with_blob
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis
from sklearn.metrics import average_precision_score

from medunsup.anomaly.factory import build_score
from medunsup.training.scan_stack import Scans

MODEL = Blurring()
SIDES = ("positive", "negative")
SCAN = next(iter(with_blob(healthy(1, seed=1, channels=2))))


class Perfect:
    """Gives every scan back as it is."""

    method_name = "perfect"

    def reconstruct(self, values, mask):
        return values * mask


class Nothing(Perfect):
    """Knows no anatomy: every scan is its own residual."""

    def reconstruct(self, values, mask):
        return 0 * values


def score_map(name: str, scan=SCAN, *, model=MODEL, healthy_scans: Scans | None = None, **values):
    score = build_score(name, values, model=model)
    return (score if healthy_scans is None else score.fit(model, healthy_scans)).map(model, *scan)


def plain_residual(scan=SCAN) -> np.ndarray:
    return (scan[0] - MODEL.reconstruct(*scan)) * scan[1]


def test_absolute_residual_is_the_mean_size_over_channels():
    np.testing.assert_allclose(score_map("absolute"), np.abs(plain_residual()).mean(axis=0), atol=1e-6)


def test_positive_and_negative_residual_share_the_absolute_one_out():
    both = score_map("positive") + score_map("negative")
    np.testing.assert_allclose(both, score_map("absolute"), atol=1e-6)


def test_an_inverted_scan_swaps_positive_and_negative():
    inverted = (-SCAN[0], SCAN[1])
    np.testing.assert_allclose(score_map("positive", inverted), score_map("negative"), atol=1e-6)


@pytest.mark.parametrize("name", ["absolute", "positive", "negative", "ssim"])
def test_a_perfect_reconstruction_leaves_nothing(name):
    np.testing.assert_allclose(score_map(name, model=Perfect()), 0, atol=1e-6)


def test_zscore_is_the_residual_in_healthy_sd():
    scans = healthy(10, channels=2)
    residuals = np.stack([plain_residual(scan) for scan in scans])
    covered = np.ma.masked_array(residuals, np.broadcast_to(~scans.masks[:, None], residuals.shape))
    wanted = np.abs((plain_residual() - covered.mean(axis=0)) / covered.std(axis=0, ddof=1)).mean(axis=0)
    found = score_map("zscore", healthy_scans=scans, blur=0, smoothing=0, floor=0)
    everywhere = scans.masks.all(axis=0) & SCAN[1]
    np.testing.assert_allclose(found[everywhere], wanted[everywhere], rtol=1e-4)


def test_both_sides_of_the_zscore_are_its_halves_together():
    halves = [score_map("zscore", healthy_scans=healthy(5, channels=2), sides=side) for side in SIDES]
    whole = score_map("zscore", healthy_scans=healthy(5, channels=2))
    np.testing.assert_allclose(halves[0] + halves[1], whole, rtol=1e-5, atol=1e-6)


def test_blurring_first_finds_a_faint_lesion_better():
    mask = np.ones((20, 20, 20), bool)
    lesion = np.zeros(mask.shape, bool)
    lesion[8:13, 8:13, 8:13] = True
    noise = np.random.default_rng(0).normal(0, 1, (9, 1, 20, 20, 20)).astype(np.float32)
    scans = Scans(noise[1:], np.broadcast_to(mask, (8, *mask.shape)))
    faint = (noise[0] + 1.5 * lesion, mask)
    sharp, blurred = (
        score_map("zscore", faint, model=Nothing(), healthy_scans=scans, blur=blur) for blur in (0, 1.5)
    )
    found = [average_precision_score(lesion.ravel(), one.ravel()) for one in (sharp, blurred)]
    assert found[1] > 5 * found[0]


@given(st.floats(0.05, 50))
@settings(max_examples=15, deadline=None)
def test_zscore_does_not_depend_on_the_intensity_scale(factor):
    scans = healthy(5, channels=2)
    scaled = Scans(scans.values * np.float32(factor), scans.masks)
    found = score_map("zscore", (SCAN[0] * np.float32(factor), SCAN[1]), healthy_scans=scaled)
    np.testing.assert_allclose(found, score_map("zscore", healthy_scans=scans), rtol=1e-3, atol=1e-3)


def local_ssim(x: np.ndarray, y: np.ndarray, mask: np.ndarray, at: tuple[int, ...], sigma: float) -> float:
    """Similarity at one voxel, summed over its window by hand (Wang et al., 2004, equation 13)."""
    reach = int(3.5 * sigma + 0.5)
    grid = np.indices(x.shape)
    off = grid - np.array(at)[:, None, None, None]
    weight = np.exp(-(off**2).sum(axis=0) / (2 * sigma**2)) * (np.abs(off).max(axis=0) <= reach) * mask
    weight /= weight.sum()
    mx, my = (weight * x).sum(), (weight * y).sum()
    vx, vy = (weight * (x - mx) ** 2).sum(), (weight * (y - my) ** 2).sum()
    cov = (weight * (x - mx) * (y - my)).sum()
    return (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))


@pytest.mark.parametrize("at", [(6, 7, 5), (2, 7, 5), (9, 4, 3)])
def test_ssim_is_the_papers_formula_inside_the_mask(at):
    scan = next(iter(healthy(1, seed=4)))
    assert scan[1][at]
    found = score_map("ssim", scan)[at]
    reconstruction = MODEL.reconstruct(*scan)
    wanted = 1 - local_ssim(scan[0][0].astype(float), reconstruction[0].astype(float), scan[1], at, 1.5)
    assert found == pytest.approx(wanted, abs=1e-6)


def test_mahalanobis_is_scipys_at_every_voxel():
    values, mask = SCAN
    drawn = MODEL.sample(values, mask, n=8, seed=0).astype(float)
    found = score_map("mahalanobis", floor=0.1)
    for at in np.argwhere(mask)[::40]:
        channels = drawn[(..., *at)]
        covariance = np.cov(channels.T) + 0.01 * np.eye(2)
        wanted = mahalanobis(values[(..., *at)], channels.mean(axis=0), np.linalg.inv(covariance))
        assert found[tuple(at)] == pytest.approx(wanted, rel=1e-5)


def test_kl_gradient_without_smoothing_is_the_gradients_size():
    wanted = np.abs(MODEL.gradient(*SCAN)).mean(axis=0) * SCAN[1]
    np.testing.assert_allclose(score_map("kl_gradient", smoothing=0), wanted, atol=1e-6)


@pytest.mark.parametrize("name", ["absolute", "positive", "ssim", "kl_gradient", "restoration", "zscore"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flipped_scan_has_a_flipped_map(name, axis):
    scans = healthy(5, channels=2)
    turned = Scans(np.flip(scans.values, axis + 2), np.flip(scans.masks, axis + 1))
    scan = (np.flip(SCAN[0], axis + 1), np.flip(SCAN[1], axis))
    found = np.flip(score_map(name, scan, healthy_scans=turned), axis)
    np.testing.assert_allclose(found, score_map(name, healthy_scans=scans), atol=1e-4)
