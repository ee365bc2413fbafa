"""What every score must keep with every model that offers what it needs."""

from functools import cache

import numpy as np
import pytest
from helpers.healthy_arrays import SHAPE, Blurring, blob, healthy, with_blob

from medunsup.anomaly.base import Score, offers
from medunsup.anomaly.deep import DeepModel
from medunsup.anomaly.factory import build_model, build_score
from medunsup.anomaly.fitted_detector import score_map
from medunsup.core.errors import InputError, UsageError
from medunsup.core.registry import method, methods
from medunsup.io.files.artifact_folder import arrays_as_bytes, read_arrays
from medunsup.training.scan_stack import Scans

SCORES = [card.name for card in methods("score")]
OUTLIERS = [card.name for card in methods("score") if card.family == "outlier"]
CLASSIC = [
    card.name for card in methods("anomaly") if not issubclass(method("anomaly", card.name), DeepModel)
]
MODELS = (*CLASSIC, "blurring")  # which stands for all deep models
CASES = [(score, {}, model) for score in SCORES for model in MODELS]
CASES += [(score, {"on": "patches", "stride": 1, "n_rows": 600}, None) for score in OUTLIERS]
CASES = [
    (score, values, model)
    for score, values, model in CASES
    if set(method("score", score)(method("score", score).Config(**values)).needs)
    <= (offers(Blurring) if model == "blurring" else offers(method("anomaly", model)) if model else set())
]
every_case = pytest.mark.parametrize(
    ("score", "values", "model"), CASES, ids=[f"{score}-{model or 'patches'}" for score, _, model in CASES]
)


def needs(score: str) -> set[str]:
    return set(method("score", score)().needs)


@cache
def fitted_model(name: str | None) -> object:
    if name is None:
        return None
    return Blurring() if name == "blurring" else build_model(name).fit(healthy())


@cache
def fitted_score(score: str, on: str, model: str | None) -> Score:
    values = {"on": on, "stride": 1, "n_rows": 600} if on else {}
    built = build_score(score, values, model=fitted_model(model))
    return built.fit(fitted_model(model), healthy())


def fitted(score: str, values: dict, model: str | None) -> Score:
    return fitted_score(score, values.get("on", ""), model)


def numbers(score: Score, model: str | None, scan: tuple[np.ndarray, np.ndarray]) -> tuple:
    found = score.map(fitted_model(model), *scan) if score.makes_map else None
    return found, score.scan_score(fitted_model(model), *scan, found)


def test_every_score_is_tried_with_some_model():
    assert {score for score, _, _ in CASES} == set(SCORES)


@pytest.mark.parametrize("name", SCORES)
def test_card_cites_a_paper_with_its_year_and_admits_a_limit(name):
    card = next(card for card in methods("score") if card.name == name)
    assert any(part.strip("().,;").isdigit() and len(part.strip("().,;")) == 4 for part in card.paper.split())
    assert len(card.limit) > 20
    assert card.summary.endswith(".")


@every_case
def test_map_is_finite_float32_and_zero_outside_the_mask(score, values, model):
    built = fitted(score, values, model)
    scan = next(iter(healthy(1, seed=1)))
    found, number = numbers(built, model, scan)
    assert np.isfinite(number)
    if built.makes_map:
        assert (found.shape, found.dtype) == (SHAPE, np.float32)
        assert np.isfinite(found).all()
        assert not found[~scan[1]].any()
        assert found[scan[1]].any()


@every_case
def test_the_scan_is_left_as_it_was(score, values, model):
    scans = healthy(1, seed=1)
    before = scans.values.copy()
    numbers(fitted(score, values, model), model, next(iter(scans)))
    np.testing.assert_array_equal(scans.values, before)


@every_case
def test_a_score_read_from_its_file_gives_the_same_numbers(score, values, model, tmp_path):
    built = fitted(score, values, model)
    (tmp_path / "weights.safetensors").write_bytes(arrays_as_bytes(built.state()))
    arrays = read_arrays(tmp_path / "weights.safetensors")
    fresh = build_score(score, values, model=fitted_model(model)).load_state(arrays)
    scan = next(iter(with_blob(healthy(1, seed=1))))
    for one, other in zip(numbers(built, model, scan), numbers(fresh, model, scan), strict=True):
        np.testing.assert_array_equal(one, other)


@every_case
def test_an_empty_mask_is_refused(score, values, model):
    built = fitted(score, values, model)
    empty = np.zeros((1, *SHAPE), np.float32), np.zeros(SHAPE, bool)
    with pytest.raises(InputError, match="mask is empty"):
        score_map(fitted_model(model), built, (), *empty, spacing_mm=2.0)


@every_case
def test_what_is_said_of_a_scan_hangs_on_no_other_scan(score, values, model):
    built, scans = fitted(score, values, model), list(healthy(3, seed=1))
    alone = numbers(built, model, scans[1])
    for scan in scans:
        numbers(built, model, scan)
    for one, other in zip(numbers(built, model, scans[1]), alone, strict=True):
        np.testing.assert_array_equal(one, other)


@every_case
def test_the_same_scans_give_the_same_score(score, values, model):
    again = build_score(score, values, model=fitted_model(model))
    one, other = fitted(score, values, model).state(), again.fit(fitted_model(model), healthy()).state()
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


FLIPPED = [case for case in CASES if case[0] != "chance" and not case[1] and "sample" not in needs(case[0])]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("score", "values", "model"), FLIPPED, ids=[f"{s}-{m}" for s, _, m in FLIPPED])
def test_a_flipped_scan_gives_the_flipped_map(score, values, model, axis):
    scans, (scan, mask) = healthy(), next(iter(with_blob(healthy(1, seed=1))))
    flipped = Scans(np.flip(scans.values, axis + 2), np.flip(scans.masks, axis + 1))
    other = Blurring() if model == "blurring" else build_model(model).fit(flipped)
    turned = build_score(score, values, model=other).fit(other, flipped)
    straight = fitted(score, values, model)
    if not straight.makes_map:
        found = turned.scan_score(other, np.flip(scan, axis + 1), np.flip(mask, axis), None)
        assert found == pytest.approx(straight.scan_score(fitted_model(model), scan, mask, None), rel=1e-2)
        return
    found = turned.map(other, np.flip(scan, axis + 1), np.flip(mask, axis))
    expected = straight.map(fitted_model(model), scan, mask)
    np.testing.assert_allclose(np.flip(found, axis), expected, atol=1e-3 * np.abs(expected).max())


MAPS = [
    case
    for case in CASES
    if case[0] not in ("chance", "negative", "ssim") and (case[0] not in OUTLIERS or case[1])
]


@pytest.mark.parametrize(
    ("score", "values", "model"), MAPS, ids=[f"{s}-{m or 'patches'}" for s, _, m in MAPS]
)
def test_a_strong_blob_lights_up_where_it_is(score, values, model):
    built = fitted(score, values, model)
    scan, mask = next(iter(healthy(1, seed=1)))
    ill, _ = next(iter(with_blob(healthy(1, seed=1), 2.0)))
    before, after = (built.map(fitted_model(model), one, mask)[blob()].mean() for one in (scan, ill))
    assert after > before


def test_a_score_the_model_cannot_serve_is_refused_with_those_it_can():
    with pytest.raises(UsageError, match=r"healthy_atlas does not offer 'sample'.*deviation.*zscore"):
        build_score("mahalanobis", model=fitted_model("healthy_atlas"))


def test_a_misspelt_parameter_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'n_neighbors'"):
        build_score("lof", {"n_neighbours": 3}, model=fitted_model("pca"))
