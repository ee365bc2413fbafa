"""Facts about single reductions, against scikit-learn and against what they must be."""

import sys

import numpy as np
import pytest
from sklearn import decomposition, manifold
from sklearn.preprocessing import StandardScaler

from medunsup.core.errors import ArrayError, DependencyError, UsageError
from medunsup.reduction import MDS, PCA, TSNE, UMAP, Isomap, KernelPCA


def rows(n: int = 50, features: int = 6, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)) @ rng.normal(size=(features, features)) + 10


def same_up_to_signs(one: np.ndarray, other: np.ndarray) -> None:
    signs = np.sign((one * other).sum(axis=0))
    np.testing.assert_allclose(one, signs * other, atol=1e-8)


def test_pca_is_that_of_scikit_learn_on_standardised_rows():
    table = rows()
    reference = decomposition.PCA(3, svd_solver="full").fit(StandardScaler().fit_transform(table))
    fitted = PCA(n_components=3).fit(table)
    same_up_to_signs(fitted.embedding_, reference.transform(StandardScaler().fit_transform(table)))
    np.testing.assert_allclose(fitted.explained_, reference.explained_variance_ratio_)
    np.testing.assert_allclose(fitted.deviations_, np.sqrt(reference.explained_variance_))


def test_rows_that_occur_more_often_weigh_more_in_pca():
    table = rows()
    weighted = np.concatenate([table, table[:10], table[:10]])
    reference = decomposition.PCA(2, svd_solver="full").fit(weighted)
    fitted = PCA(standardize=False).fit(weighted)
    np.testing.assert_allclose(fitted.explained_, reference.explained_variance_ratio_)
    np.testing.assert_allclose(fitted._mean, weighted.mean(axis=0))


def test_the_largest_weight_of_an_axis_is_positive():
    components = PCA(n_components=4).fit(rows()).components_
    assert (components[np.arange(4), np.abs(components).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("standardize", [True, False])
def test_modes_lie_two_standard_deviations_along_their_axis_and_nowhere_else(standardize):
    fitted = PCA(n_components=3, standardize=standardize).fit(rows())
    for n, mode in enumerate(fitted.modes()):
        np.testing.assert_allclose(mode.mean(axis=0), fitted._mean)
        expected = np.outer([-2, 2], fitted.deviations_[n] * np.eye(3)[n])
        np.testing.assert_allclose(fitted.transform(mode), expected, atol=1e-9)


def test_whitened_axes_have_a_spread_of_one():
    places = PCA(whiten=True).fit_transform(rows())
    np.testing.assert_allclose(np.cov(places.T), np.eye(2), atol=1e-9)


@pytest.mark.parametrize(("kernel", "degree"), [("rbf", 3), ("poly", 2), ("cosine", 3)])
def test_kernel_pca_is_that_of_scikit_learn(kernel, degree):
    table, new = rows(), rows(5, seed=1)
    own = KernelPCA(kernel=kernel, gamma=0.1, degree=degree, standardize=False).fit(table)
    centred = table - table.mean(axis=0)
    reference = decomposition.KernelPCA(2, kernel=kernel, gamma=0.1, degree=degree, coef0=1).fit(centred)
    same_up_to_signs(own.embedding_, reference.transform(centred))
    same_up_to_signs(own.transform(new), reference.transform(new - table.mean(axis=0)))


def test_isomap_is_that_of_scikit_learn():
    table, new = rows(), rows(5, seed=1)
    reference = manifold.Isomap(n_neighbors=8).fit(table)
    own = Isomap(neighbours=8, standardize=False).fit(table)
    same_up_to_signs(own.embedding_, reference.embedding_)
    same_up_to_signs(own.transform(new), reference.transform(new))


def test_isomap_unrolls_a_spiral_that_pca_leaves_rolled_up():
    along = np.linspace(3, 12, 150)
    spiral = np.column_stack([along * np.cos(along), along * np.sin(along)])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(spiral, axis=0), axis=1))])
    own = Isomap(n_components=1, neighbours=4).fit_transform(spiral)[:, 0]
    flat = PCA(n_components=1).fit_transform(spiral)[:, 0]
    assert abs(np.corrcoef(own, length)[0, 1]) > 0.99 > abs(np.corrcoef(flat, length)[0, 1])


def test_isomap_joins_parts_that_no_link_joins_and_says_so():
    table = rows(24)
    table[:12] += 1000
    fitted = Isomap(neighbours=3).fit(table)
    assert any("2 parts" in one for one in fitted.remarks_)
    assert np.isfinite(fitted.geodesic_).all()


def test_mds_lays_out_a_plane_as_it_is():
    plane = np.random.default_rng(0).normal(size=(30, 2)) @ np.array([[1.0, 0, 2], [0, 1, 1]])
    fitted = MDS(standardize=False, steps=500).fit(plane)
    assert fitted.stress_ < 1e-6


def test_rows_on_a_line_have_no_second_axis():
    line = np.outer(np.arange(20.0), [1.0, 2.0])
    with pytest.raises(ArrayError, match="fewer than 2 axes"):
        KernelPCA(kernel="poly", degree=1).fit(line)


def test_one_feature_has_no_two_components():
    with pytest.raises(ArrayError, match=r"2 components of 1 feature\(s\)"):
        PCA().fit(np.arange(10.0)[:, None])


def test_more_pairs_than_fit_are_refused_with_what_to_take(monkeypatch):
    monkeypatch.setattr(MDS, "_most_rows", 20)
    with pytest.raises(UsageError, match=r"takes up to 20 distinct rows.*Take pca or umap"):
        MDS().fit(rows(21))


@pytest.mark.parametrize(
    ("cls", "package", "said"), [(UMAP, "umap", "umap-learn"), (TSNE, "openTSNE", "openTSNE")]
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch, cls, package, said):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DependencyError, match=rf"{said}.*\.\[maps\]"):
        cls().fit(rows())


def test_fewer_neighbours_than_asked_for_are_told():
    assert any("Perplexity 3.67" in one for one in TSNE(epochs=5).fit(rows(12)).remarks_)
    assert any("11 neighbours" in one for one in UMAP(epochs=5).fit(rows(12)).remarks_)
