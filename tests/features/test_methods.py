"""Each kind of features against what is known of it otherwise."""

import numpy as np
import pytest
from features.test_methods_contract import cohort
from scipy import stats
from sklearn.decomposition import PCA

from medunsup.core.errors import ArrayError, UsageError
from medunsup.features import FeatureInput, FirstOrder, Intensity, RegisteredPCA, Volumes


def named(feature, scan) -> dict[str, float]:
    return dict(zip(feature.describe(), feature.transform(scan), strict=True))


def test_volumes_are_those_of_the_segmentation():
    scan = cohort(1)[0]
    found = named(Volumes(), scan)
    for n, tissue in enumerate(("GM", "WM", "CSF")):
        expected = float(scan.fractions[n][scan.mask].astype(float).sum()) * 8.0 / 1000
        assert found[f"{tissue}_ml"] == pytest.approx(expected, rel=1e-9)
        assert found[f"{tissue}_fraction"] == pytest.approx(expected / found["brain_ml"], rel=1e-9)
    assert found["brain_ml"] == pytest.approx(scan.mask.sum() * 8.0 / 1000, rel=1e-5)


def test_volumes_grow_with_the_head_and_fractions_do_not():
    scan = cohort(1)[0]
    larger = FeatureInput(scan.values, scan.mask, 16.0, scan.fractions)
    one, two = named(Volumes(), scan), named(Volumes(), larger)
    assert two["GM_ml"] == pytest.approx(2 * one["GM_ml"])
    assert two["GM_fraction"] == pytest.approx(one["GM_fraction"])


def test_the_histogram_sums_to_one_and_takes_what_lies_beyond_its_ends():
    scan = cohort(1)[0]
    assert Intensity().transform(scan).sum() == pytest.approx(1)
    bright = FeatureInput(scan.values + 5, scan.mask)
    assert Intensity().transform(bright)[-1] == 1
    with pytest.raises(UsageError, match="below high"):
        Intensity.Config.parse({"low": 1.0, "high": 0.5})


def test_first_order_statistics_are_those_of_scipy():
    scan = cohort(1)[0]
    found, values = named(FirstOrder(), scan), scan.values[0][scan.mask].astype(float)
    white = values[scan.fractions[:, scan.mask].argmax(axis=0) == 1]
    for name, part in (("brain", values), ("WM", white)):
        assert found[f"{name}_mean"] == pytest.approx(part.mean())
        assert found[f"{name}_skewness"] == pytest.approx(stats.skew(part))
        assert found[f"{name}_kurtosis"] == pytest.approx(stats.kurtosis(part))
        assert found[f"{name}_p75"] == pytest.approx(np.percentile(part, 75))


def test_a_scan_without_a_tissue_is_refused():
    scan = cohort(1)[0]
    fractions = np.zeros_like(scan.fractions)
    fractions[0] = 1
    with pytest.raises(ArrayError, match="0 voxels of WM"):
        FirstOrder().transform(FeatureInput(scan.values, scan.mask, 1.0, fractions))


def test_components_are_those_of_scikit_learn_up_to_their_sign():
    scans = cohort(7)
    fitted = RegisteredPCA(RegisteredPCA.Config(n_components=3)).fit(scans)
    inside = np.mean([scan.mask for scan in scans], axis=0) >= 0.5
    rows = np.stack([scan.values[0][inside] for scan in scans]).astype(float)
    other = PCA(3, svd_solver="full").fit(rows)
    ours = np.stack([fitted.transform(scan) for scan in scans])
    assert np.abs(ours) == pytest.approx(np.abs(other.transform(rows)), abs=1e-5)
    assert fitted.explained_ == pytest.approx(other.explained_variance_ratio_, abs=1e-6)


def test_modes_lie_two_standard_deviations_along_their_component_and_nowhere_else():
    scans = cohort(6)
    fitted = RegisteredPCA(RegisteredPCA.Config(n_components=3)).fit(scans)
    images, places = dict(fitted.images()), np.stack([fitted.transform(scan) for scan in scans])
    assert len(images) == 1 + 3 + 2 * 3
    for n in range(3):
        assert np.linalg.norm(images[f"component-{n + 1:03d}"]) == pytest.approx(1)
        for side, sign in (("low", -2), ("high", 2)):
            mode = images[f"mode-{n + 1:03d}_{side}"][None].astype(np.float64)
            expected = sign * places[:, n].std(ddof=1) * np.eye(3)[n]
            assert fitted.transform(FeatureInput(mode, scans[0].mask)) == pytest.approx(expected, abs=1e-6)


def test_there_are_fewer_components_than_scans():
    assert len(RegisteredPCA().fit(cohort(4)).describe()) == 3


def test_pca_that_cannot_be_fitted_or_was_not_is_refused():
    scan = cohort(1)[0]
    with pytest.raises(ArrayError, match="two scans or more"):
        RegisteredPCA().fit([scan])
    with pytest.raises(ArrayError, match="all scans are the same"):
        RegisteredPCA().fit([scan, scan])
    with pytest.raises(ArrayError, match="not fitted"):
        RegisteredPCA().transform(scan)
    with pytest.raises(ArrayError, match="was fitted on the grid"):
        RegisteredPCA().fit(cohort(3)).transform(
            FeatureInput(np.ones((1, 4, 4, 4)), np.ones((4, 4, 4), bool))
        )
