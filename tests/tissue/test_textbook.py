"""The plain methods do what the textbook says, and what scikit-learn does."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.mixture import GaussianMixture

from medunsup.core.errors import UsageError
from medunsup.core.labels import TISSUES, class_table
from medunsup.core.registry import method
from medunsup.tissue.base import TissueInput
from medunsup.tissue.class_order import DARK_TO_BRIGHT, class_order

PLAIN = ("kmeans", "minibatch_kmeans", "gmm", "bayesian_gmm")


def three_tissues(n: int = 6000, contrasts: tuple[str, ...] = ("T1w",), seed: int = 0) -> TissueInput:
    """Voxels of three overlapping Gaussians, CSF, GM and WM on T1w; every voxel in the mask."""
    rng = np.random.default_rng(seed)
    tissue = rng.choice(3, n, p=[0.2, 0.45, 0.35])
    image = np.array([0.2, 0.5, 0.75])[tissue] + rng.normal(0, np.array([0.07, 0.06, 0.04])[tissue])
    intensity = image.astype(np.float32).reshape(1, n, 1, 1)
    return TissueInput(
        intensity, np.ones((n, 1, 1), dtype=bool), (1.0, 1.0, 1.0), contrasts, class_table(len(TISSUES))
    )


def test_gmm_equals_scikit_learns_on_the_same_data():
    data = three_tissues()
    config = method("tissue", "gmm").Config(tol=1e-8, max_iter=2000, variance_floor=1e-9)
    ours = method("tissue", "gmm")(config).fit(data)
    values = data.intensity.reshape(-1, 1).astype(float)
    theirs = GaussianMixture(3, tol=1e-8, max_iter=2000, reg_covar=1e-11, random_state=5).fit(values)
    order = [int(n) for n in np.argsort(theirs.means_[:, 0])]
    csf, gm, wm = order
    expected = theirs.predict_proba(values)[:, [gm, wm, csf]].T
    np.testing.assert_allclose(ours.posterior_.reshape(3, -1), expected, atol=2e-3)
    assert ours.log_likelihood_[-1] == pytest.approx(theirs.score(values), abs=1e-4)
    for component, n in zip(ours.components_, (gm, wm, csf), strict=True):
        assert component.mean[0] == pytest.approx(theirs.means_[n, 0], abs=2e-3)
        assert component.sd[0] == pytest.approx(np.sqrt(theirs.covariances_[n, 0, 0]), abs=2e-3)
        assert component.weight == pytest.approx(theirs.weights_[n], abs=5e-3)


def test_kmeans_finds_scikit_learns_clusters():
    data = three_tissues()
    ours = method("tissue", "kmeans")().fit(data)
    theirs = SklearnKMeans(3, n_init=10, random_state=3).fit(data.intensity.reshape(-1, 1))
    means = sorted(component.mean[0] for component in ours.components_)
    np.testing.assert_allclose(means, sorted(theirs.cluster_centers_[:, 0]), atol=2e-3)


@pytest.mark.parametrize("name", PLAIN)
def test_large_scan_is_fitted_on_a_sample_and_predicted_everywhere(name):
    data = three_tissues(40_000)
    kind = method("tissue", name)
    sampled = kind(kind.Config(max_voxels=2_000)).fit(data)
    whole = kind(kind.Config(max_voxels=40_000)).fit(data)
    assert (sampled.labels_ > 0).all()
    assert (sampled.labels_ == whole.labels_).mean() > 0.97


@pytest.mark.parametrize("name", PLAIN)
def test_order_of_voxels_does_not_matter_at_all(name):
    data = three_tissues()
    shuffle = np.random.default_rng(1).permutation(data.mask.size)
    moved = TissueInput(
        data.intensity[:, shuffle], data.mask, data.spacing_mm, data.contrasts, data.labels, data.priors
    )
    kind = method("tissue", name)
    assert kind().fit(moved).labels_.tobytes() == kind().fit(data).labels_[shuffle].tobytes()


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("n_classes", [2, 4, 5])
def test_other_numbers_of_classes_run_from_dark_to_bright(name, n_classes):
    data = three_tissues()
    labels = class_table(n_classes)
    fitted = method("tissue", name)().fit(
        TissueInput(data.intensity, data.mask, data.spacing_mm, data.contrasts, labels)
    )
    means = [component.mean[0] for component in fitted.components_]
    assert means == sorted(means)
    filled = set(np.unique(fitted.labels_).tolist())
    if name == "bayesian_gmm":  # its prior may let a class die that the data do not need
        assert filled <= set(range(1, n_classes + 1))
    else:
        assert filled == set(range(1, n_classes + 1))


@pytest.mark.parametrize("contrast", DARK_TO_BRIGHT)
def test_one_contrast_is_ordered_by_brightness(contrast):
    names = [label.abbreviation for label in TISSUES]
    means = np.array([[0.9], [0.1], [0.35]])  # as a clustering may return them
    by_name = dict(zip(names, means[class_order(means, (contrast,), 3), 0], strict=True))
    assert sorted(by_name, key=by_name.get) == list(DARK_TO_BRIGHT[contrast])


def test_several_contrasts_outvote_one_that_cannot_tell():
    """On FLAIR alone WM and CSF are swapped by a noisy mean; T1w sets it right."""
    gm, wm, csf = [0.5, 0.8], [0.9, 0.45], [0.1, 0.5]
    order = class_order(np.array([csf, gm, wm]), ("T1w", "FLAIR"), 3)
    assert order.tolist() == [1, 2, 0]


def test_contrast_without_a_known_order_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"DWI.*T1w, T2w, FLAIR, PD"):
        class_order(np.zeros((3, 1)), ("DWI",), 3)


def test_certain_voxels_have_no_entropy_and_coin_tosses_have_one():
    from medunsup.tissue.textbook import normalized_entropy

    posterior = np.array([[1, 0.5], [0, 0.5]], dtype=np.float32).reshape(2, 2, 1, 1)
    np.testing.assert_allclose(normalized_entropy(posterior).ravel(), [0, 1], atol=1e-6)


def test_asking_for_a_method_imports_no_scikit_learn():
    code = (
        "import sys; from medunsup.core.registry import method, methods; methods('tissue');"
        + "".join(f"method('tissue', {name!r});" for name in PLAIN)
        + "import medunsup.tissue.choose_k; print([m for m in sys.modules if m.startswith('sklearn')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
