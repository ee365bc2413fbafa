"""Principal components of scans: the same as scikit-learn's, and what a user may expect of modes."""

import numpy as np
import pytest
from helpers.healthy_arrays import SHAPE, healthy
from sklearn import decomposition

from medunsup.anomaly.models.pca import PCA, PCAConfig
from medunsup.core.errors import InputError
from medunsup.training.scan_stack import Scans


def one_mask(n: int = 12, channels: int = 1) -> Scans:
    """Scans that all share a mask, so that each voxel is a feature for each of them."""
    scans = healthy(n, channels=channels)
    inside = scans.masks.all(axis=0)
    masks = np.broadcast_to(inside, scans.masks.shape)
    return Scans(scans.values * inside, masks, scans.names)


def rows(scans: Scans) -> np.ndarray:
    return scans.values[:, :, scans.masks[0]].reshape(len(scans), -1).astype(np.float64)


def fit(scans: Scans, **values: float) -> PCA:
    return PCA(PCAConfig(**values)).fit(scans)


@pytest.fixture(scope="module")
def scans() -> Scans:
    return one_mask(channels=2)


@pytest.fixture(scope="module")
def pca(scans) -> PCA:
    return fit(scans, n_components=5)


def test_in_one_batch_it_is_scikit_learns(scans, pca):
    reference = decomposition.PCA(5, svd_solver="full").fit(rows(scans))
    signs = np.sign((pca.components_ * reference.components_).sum(axis=1))
    np.testing.assert_allclose(pca.components_ * signs[:, None], reference.components_, atol=1e-6)
    np.testing.assert_allclose(pca.variance_, reference.explained_variance_, rtol=1e-5)
    np.testing.assert_allclose(pca.explained_variance_ratio_, reference.explained_variance_ratio_, rtol=1e-5)


def test_reconstruction_and_coefficients_are_scikit_learns(scans, pca):
    reference = decomposition.PCA(5, svd_solver="full", whiten=True).fit(rows(scans))
    values, mask = scans.values[3], scans.masks[3]
    wanted = reference.inverse_transform(reference.transform(rows(scans)[3:4]))
    np.testing.assert_allclose(pca.reconstruct(values, mask)[:, mask].ravel(), wanted[0], atol=1e-6)
    wanted = np.abs(reference.transform(rows(scans)[3:4]))
    np.testing.assert_allclose(np.abs(pca.encode(values, mask)), wanted, atol=1e-5)


def test_in_small_batches_it_is_scikit_learns_incremental_one(scans):
    reference = decomposition.IncrementalPCA(3, batch_size=4).fit(rows(scans))
    components = fit(scans, n_components=3, batch_size=4).components_
    signs = np.sign((components * reference.components_).sum(axis=1))
    np.testing.assert_allclose(components * signs[:, None], reference.components_, atol=1e-5)


def test_eigen_images_are_orthonormal_and_empty_outside_the_mask(scans, pca):
    images = pca.eigen_images
    assert images.shape == (5, 2, *SHAPE)
    flat = images.reshape(5, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(5), atol=1e-5)
    assert not images[:, :, ~scans.masks[0]].any()


def test_as_many_modes_as_scans_allow_reproduce_every_training_scan(scans):
    pca = fit(scans, n_components=100)
    assert len(pca.components_) == len(scans) - 1
    for values, mask in scans:
        np.testing.assert_allclose(pca.reconstruct(values, mask), values, atol=1e-5)


def test_reconstructing_a_reconstruction_changes_nothing(pca):
    values, mask = next(iter(one_mask(1, channels=2)))
    once = pca.reconstruct(values, mask)
    np.testing.assert_allclose(pca.reconstruct(once, mask), once, atol=1e-5)


def test_a_mode_of_variation_moves_one_coefficient_by_so_many_sd(scans, pca):
    mask = scans.masks[0]
    for amount, image in zip((-2, 0, 1), pca.mode_of_variation(2, (-2, 0, 1)), strict=True):
        np.testing.assert_allclose(pca.encode(image, mask)[0], [0, 0, amount, 0, 0], atol=1e-4)


def test_draws_lie_around_the_scans_own_coefficients_as_wide_as_asked(scans):
    pca = fit(scans, n_components=3, spread=0.5)
    values, mask = scans.values[0], scans.masks[0]
    drawn = pca.sample(values, mask, n=400, seed=0)
    coefficients = np.concatenate([pca.encode(image, mask) for image in drawn])
    np.testing.assert_allclose(coefficients.mean(axis=0), pca.encode(values, mask)[0], atol=0.1)
    np.testing.assert_allclose(coefficients.std(axis=0), 0.5, atol=0.05)
    np.testing.assert_array_equal(drawn, pca.sample(values, mask, n=400, seed=0))


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_flipped_scans_give_flipped_reconstructions(axis):
    scans = healthy()
    flipped = Scans(np.flip(scans.values, axis + 1), np.flip(scans.masks, axis))
    values, mask = next(iter(healthy(1, seed=5)))
    straight = fit(scans).reconstruct(values, mask)
    turned = fit(flipped).reconstruct(np.flip(values, axis), np.flip(mask, axis - 1))
    np.testing.assert_allclose(np.flip(turned, axis), straight, atol=1e-4)


def test_scaled_scans_give_scaled_reconstructions_and_the_same_coefficients():
    scans = healthy()
    values, mask = next(iter(healthy(1, seed=5)))
    straight, scaled = fit(scans), fit(Scans(scans.values * 40, scans.masks))
    np.testing.assert_allclose(
        scaled.reconstruct(values * 40, mask), 40 * straight.reconstruct(values, mask), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(scaled.encode(values * 40, mask), straight.encode(values, mask), atol=1e-3)


def test_a_voxel_that_one_scan_lacks_is_average_there():
    scans = one_mask()
    masks = scans.masks.copy()
    masks[0, 6, 7, 5] = False
    values = scans.values * masks[:, None]
    filled = values.copy()
    filled[0, 0, 6, 7, 5] = values[1:, 0, 6, 7, 5].mean()
    lacking, whole = fit(Scans(values, masks)), fit(Scans(filled, scans.masks))
    np.testing.assert_allclose(lacking.mean_, whole.mean_, atol=1e-6)
    np.testing.assert_allclose(lacking.variance_, whole.variance_, rtol=1e-4)


def test_where_no_scan_was_ever_seen_there_is_no_verdict(pca):
    values, mask = np.ones((2, *SHAPE), np.float32), np.ones(SHAPE, bool)
    unseen = ~pca.seen_
    assert unseen.any()
    np.testing.assert_array_equal(pca.reconstruct(values, mask)[:, unseen], 1)


def test_slices_are_scans_of_one_layer():
    scans = healthy(shape=(16, 18, 1))
    values, mask = next(iter(scans))
    assert fit(scans).reconstruct(values, mask).shape == (1, 16, 18, 1)


def test_a_single_scan_is_refused():
    with pytest.raises(InputError, match="no modes of variation"):
        fit(healthy(1))


def test_stored_and_loaded_it_is_the_same(scans, pca):
    values, mask = scans.values[1], scans.masks[1]
    fresh = PCA().load_state(pca.state(), scans.shape)
    np.testing.assert_array_equal(fresh.reconstruct(values, mask), pca.reconstruct(values, mask))
    np.testing.assert_array_equal(fresh.encode(values, mask), pca.encode(values, mask))
