"""Baselines: what each is blind to and what it finds."""

import numpy as np
import pytest
from helpers.healthy_arrays import SHAPE, blob, healthy, with_blob
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from medunsup.anomaly.baselines import BASELINES, Baselines
from medunsup.anomaly.factory import build_score
from medunsup.anomaly.postprocess import median

UNFITTED = [name for name, one in BASELINES.items() if one.model is None]
NATIVE = Baselines()
MAPS = [name for name in BASELINES if name not in ("pca_lof", "pca_ecod")]


@pytest.fixture(scope="module")
def baselines() -> Baselines:
    return Baselines().fit(healthy(30))


@pytest.fixture(scope="module")
def ill() -> tuple[np.ndarray, np.ndarray]:
    return next(iter(with_blob(healthy(1, seed=9))))


def precision(baselines: Baselines, name: str, scan: tuple[np.ndarray, np.ndarray]) -> float:
    score_map = baselines.map(name, *scan)
    return average_precision_score(blob()[scan[1]], score_map[scan[1]])


def test_all_baselines_make_a_map_but_those_on_latents(baselines, ill):
    assert [name for name in BASELINES if baselines.map(name, *ill) is not None] == MAPS


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_gives_a_scan_one_finite_number(name, baselines, ill):
    assert np.isfinite(baselines.scan_score(name, *ill, baselines.map(name, *ill)))


def test_prevalence_is_what_chance_reaches(baselines, ill):
    assert precision(baselines, "prevalence", ill) == pytest.approx(blob()[ill[1]].mean())


@pytest.mark.parametrize("name", ["rank_high", "healthy_z", "pca_residual"])
def test_a_bright_blob_is_found_by_rank_atlas_and_components(name, baselines, ill):
    assert precision(baselines, name, ill) > 5 * precision(baselines, "prevalence", ill)


def test_a_bright_blob_is_last_for_those_who_look_for_dark_ones(baselines, ill):
    assert precision(baselines, "intensity_low", ill) < precision(baselines, "prevalence", ill)


@pytest.mark.parametrize("name", MAPS)
def test_steps_of_the_model_are_those_of_the_baselines_in_its_space(name, baselines, ill):
    stepped = Baselines(steps=("median=3",)).load_state(baselines.state(), (1, *SHAPE))
    own, found = baselines.map(name, *ill), stepped.map(name, *ill)
    np.testing.assert_array_equal(found, own if BASELINES[name].native else median(own, ill[1], 3))


@pytest.mark.parametrize("name", UNFITTED)
def test_baselines_without_a_model_need_no_fit_and_take_any_grid(name):
    scan = next(iter(healthy(1, shape=(9, 8, 7))))
    assert Baselines().map(name, *scan).shape == (9, 8, 7)


@pytest.mark.parametrize("name", [name for name, one in BASELINES.items() if one.native])
@given(st.floats(0.01, 1000), st.floats(-500, 500))
@settings(max_examples=10, deadline=None)
def test_what_takes_native_scans_depends_on_no_scale(name, scale, offset):
    values, mask = next(iter(healthy(1)))
    levels = np.round(values * 1000)
    plain = NATIVE.map(name, levels, mask)
    np.testing.assert_array_equal(NATIVE.map(name, levels * scale + offset, mask), plain)


def test_ranks_of_a_scan_without_ties_are_evenly_spread(ill):
    values, mask = ill
    ranks = Baselines().map("intensity_high", values, mask)[mask]
    np.testing.assert_allclose(np.sort(ranks), np.arange(1, mask.sum() + 1) / mask.sum(), rtol=1e-6)


def test_bright_and_dark_rank_turn_one_another_round(ill):
    values, mask = ill
    np.testing.assert_array_equal(
        Baselines().map("rank_low", values, mask), Baselines().map("rank_high", -values, mask)
    )


def test_a_mirrored_scan_has_a_mirrored_asymmetry_map(baselines, ill):
    values, mask = ill
    mirrored = baselines.map("asymmetry", np.flip(values, 1), np.flip(mask, 0))
    np.testing.assert_allclose(np.flip(mirrored, 0), baselines.map("asymmetry", values, mask), atol=1e-5)


def test_a_symmetric_scan_has_no_asymmetry_wherever_it_lies(baselines):
    values, mask = next(iter(healthy(1)))
    symmetric, both = (values + np.flip(values, 1)) / 2, mask & np.flip(mask, 0)
    for shift in (0, 1):
        moved = np.pad(symmetric * both, ((0, 0), (shift + 2, 2 - shift), (0, 0), (0, 0)))
        inside = np.pad(both, ((shift + 2, 2 - shift), (0, 0), (0, 0)))
        np.testing.assert_allclose(baselines.map("asymmetry", moved, inside), 0, atol=1e-6)


def test_asymmetry_shows_a_blob_and_its_healthy_mirror_alike():
    values, mask = next(iter(healthy(1)))
    both = mask & np.flip(mask, 0)
    symmetric = (values + np.flip(values, 1)) / 2 * both
    asymmetry = build_score("asymmetry").map(None, symmetric + 0.5 * blob(), both)
    mirrored = np.flip(blob(), 0)
    assert asymmetry[blob()].mean() == pytest.approx(asymmetry[mirrored].mean(), rel=1e-3)
    assert asymmetry[blob()].mean() > 3 * asymmetry[both & ~blob() & ~mirrored].mean()


def test_stored_and_loaded_baselines_are_the_same(baselines, ill):
    fresh = Baselines().load_state(baselines.state(), (1, *SHAPE))
    for name in MAPS:
        np.testing.assert_array_equal(fresh.map(name, *ill), baselines.map(name, *ill))
    for name in ("pca_lof", "pca_ecod"):
        assert fresh.scan_score(name, *ill, None) == baselines.scan_score(name, *ill, None)


def test_stored_and_loaded_with_a_relative_step_the_maps_are_the_same(ill):
    steps = ("median=3", "relative=75")
    fitted = Baselines(steps=steps).fit(healthy(6))
    again = Baselines(steps=steps).load_state(fitted.state(), (1, *SHAPE))
    darker = ill[0] * np.float32(0.999), ill[1]
    for name in MAPS:
        np.testing.assert_array_equal(again.map(name, *darker), fitted.map(name, *darker))
    assert all(floor > 0 for _, floor in fitted.floors_.values())


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_scans_are_enough_for_all_of_them(n):
    fitted = Baselines(steps=("relative=75",)).fit(healthy(n))
    assert np.isfinite(fitted.scan_score("pca_lof", *next(iter(healthy(1, seed=3))), None))
