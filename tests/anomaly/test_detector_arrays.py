"""A user's arrays in any units, blank, cut or with their own masks: judged alike, or refused with a word."""

import numpy as np
import pytest
from helpers.healthy_arrays import SHAPE, healthy, with_blob
from sklearn.exceptions import NotFittedError
from sklearn.metrics import average_precision_score

import medunsup
from medunsup.core.errors import InputError, UsageError

HEALTHY, NEW = healthy(20), healthy(4, seed=3)
FULL = np.random.default_rng(0).uniform(0.4, 0.6, (20, *SHAPE)).astype(np.float32)
MODELS = [("healthy_atlas", "deviation"), ("pca", "zscore"), ("pca", "absolute")]


def fitted(model: str = "healthy_atlas", score: str = "deviation", values=FULL, **given):
    return medunsup.Detector(model=model, score=score, **given).fit(values)


@pytest.mark.parametrize(("model", "score"), [*MODELS, ("pca", "lof")])
@pytest.mark.parametrize(("factor", "offset"), [(255, 0), (4095, 0), (0.001, 0), (1000, -1024), (50, 1e4)])
def test_units_change_no_score(model, score, factor, offset):
    def numbers(factor: float, offset: float) -> np.ndarray:
        detector = fitted(model, score, FULL[:15].astype(np.float64) * factor + offset)
        return detector.score_samples(FULL[15:].astype(np.float64) * factor + offset)

    wanted = numbers(3 * factor, 3 * offset)
    np.testing.assert_allclose(numbers(factor, offset), wanted, rtol=2e-3)


def test_arrays_of_about_zero_to_one_stay_as_they_are():
    detector = fitted("pca", "absolute", HEALTHY.values)
    np.testing.assert_array_equal(detector.scale_, [[0, 1]])
    as_is = fitted("pca", "absolute", HEALTHY.values, intensity="as_is")
    np.testing.assert_array_equal(detector.score_samples(NEW.values), as_is.score_samples(NEW.values))


def test_as_is_leaves_other_units_alone_and_auto_says_what_became_zero_and_one():
    assert fitted(values=FULL * 255, intensity="as_is").scale_.tolist() == [[0, 1]]
    ((low, high),) = fitted(values=FULL * 255).scale_
    assert low == 0
    assert 0.6 * 255 < high < 0.9 * 255
    with pytest.raises(UsageError, match="'percent' is none of auto, as_is"):
        fitted(intensity="percent")


def test_as_is_refuses_no_image_for_its_units():
    detector = fitted(values=np.concatenate([FULL, 255 * FULL[:2]]), intensity="as_is")
    assert detector.score_samples(1e4 * FULL[:1]) > detector.score_samples(FULL).max()


@pytest.mark.parametrize("intensity", ["auto", "as_is"])
@pytest.mark.parametrize("n_columns", [1, 2, 5])
def test_rows_of_few_columns_are_judged(n_columns, intensity):
    random = np.random.default_rng(0)
    usual, new = random.normal(0, 1, (100, n_columns)), random.normal(0, 1, (50, n_columns))
    new[0] = 0
    detector = fitted(values=usual, intensity=intensity)
    odd = new + 8 * (np.arange(n_columns) == 0)
    assert detector.score_samples(odd).min() > detector.score_samples(new).max()


@pytest.mark.parametrize(("model", "score"), [*MODELS, ("pca", "lof")])
def test_units_of_single_columns_change_no_score(model, score):
    random = np.random.default_rng(1)
    usual, new = random.normal(0, 1, (60, 4)), random.normal(0, 1, (9, 4))
    units, offsets = np.array([1e-3, 1, 40, 1e5]), np.array([0, -7, 170, 1e6])
    wanted = fitted(model, score, usual).score_samples(new)
    found = fitted(model, score, usual * units + offsets).score_samples(new * units + offsets)
    np.testing.assert_allclose(found, wanted, rtol=2e-3)


def test_zero_is_a_number_like_others_in_rows():
    counts = np.random.default_rng(2).integers(0, 3, (80, 2))
    detector = fitted(values=counts)
    np.testing.assert_allclose(
        detector.score_samples(counts[:20]),
        fitted(values=counts + 1).score_samples(counts[:20] + 1),
        rtol=1e-3,
    )


def test_a_masked_column_of_rows_counts_in_no_scale():
    values = np.random.default_rng(3).normal(0, 1, (40, 3))
    masks = np.ones(values.shape, bool)
    masks[:5, 1], masks[:, 2] = False, False
    changed = np.where(masks, values, 1e4)
    scales = [
        medunsup.Detector(model="healthy_atlas", score="deviation").fit(one, masks=masks).scale_
        for one in (values, changed)
    ]
    np.testing.assert_array_equal(*scales)
    assert scales[0][0, 2].tolist() == [0, 1]


def test_each_channel_has_its_own_scale():
    two = np.stack([FULL, 400 * FULL - 100], axis=1)
    scale = fitted(values=two).scale_
    assert scale[0].tolist() == [0, 1]
    assert scale[1, 1] > 100


@pytest.mark.slow
@pytest.mark.parametrize("factor", [255, 0.004])
def test_a_network_finds_a_square_in_any_units(factor):
    y, x = np.mgrid[-1:1:32j, -1:1:32j]

    def pictures(n: int, seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        shifts = random.normal(0, 0.25, (2, n, 1, 1))
        waves = np.cos(3 * x + shifts[0]) * np.cos(3 * y + shifts[1])
        return 0.5 + 0.2 * waves + 0.03 * random.standard_normal((n, 32, 32))

    ill, truth = pictures(10, 2), np.zeros((10, 32, 32), bool)
    truth[:, 12:16, 14:18] = True
    ill[truth] += 0.2

    def precision(factor: float) -> float:
        size = {"epochs": 8, "channels": 8, "levels": 2}
        detector = medunsup.Detector(model="dae", score="zscore", model_params=size)
        found = detector.fit(pictures(100, 1) * factor).score_map(ill * factor)
        return average_precision_score(truth.ravel(), found.ravel())

    assert precision(factor) > 0.9 * precision(1) > 0.5


@pytest.mark.parametrize("factor", [255, 0.004])
def test_arrays_in_other_units_than_those_learned_from_are_refused(factor):
    with pytest.raises(InputError, match=r"Array 1: its highest intensities .* same units"):
        fitted().score_samples(np.stack([FULL[0], FULL[1] * np.float32(factor)]))
    with pytest.raises(InputError, match="Array 7"):
        fitted(values=np.stack([*FULL[:7], FULL[7] * np.float32(factor), *FULL[8:]]))


@pytest.mark.parametrize(("level", "reason"), [(0.0, "0 everywhere"), (0.5, "values are equal")])
def test_a_blank_array_is_refused_wherever_it_is_given(level, reason):
    blank = np.full((1, *SHAPE), level, np.float32)
    with pytest.raises(InputError, match=f"Array 0 is blank: .*{reason}"):
        fitted().score_samples(blank)
    with pytest.raises(InputError, match="Array 20 is blank"):
        fitted(values=np.concatenate([FULL, blank]))


@pytest.mark.parametrize(("model", "score"), [*MODELS, ("pca", "lof"), ("healthy_atlas", "intensity")])
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_half_an_array_missing_is_never_healthy(model, score, axis):
    half = FULL[:1].copy()
    half[(slice(None),) * axis + (slice(0, half.shape[axis] // 2),)] = 0
    with pytest.raises(InputError, match=r"Array 0 misses \d\d% .* give masks"):
        fitted(model, score).score_samples(half)


@pytest.mark.parametrize(("model", "score"), MODELS)
def test_a_hole_is_counted_although_zero_is_background(model, score):
    holed = FULL[:1].copy()
    holed[:, 4:8, 4:8, 3:6] = 0
    detector = fitted(model, score)
    assert detector.score_samples(holed) > 2 * detector.score_samples(FULL[10:]).max()
    assert detector.score_map(holed)[0, 5:7, 5:7, 4].min() > detector.score_map(FULL[10:]).max()


def test_what_a_users_own_mask_leaves_out_is_told(caplog):
    mask = np.ones((1, *SHAPE), bool)
    mask[..., :5] = False
    fitted().score_samples(FULL[:1], masks=mask)
    assert "Array 0: its mask leaves out 50 % of what all healthy arrays hold." in caplog.text


def test_background_that_healthy_arrays_have_too_is_not_missing():
    detector = fitted(values=HEALTHY.values)
    with_masks = medunsup.Detector(model="healthy_atlas", score="deviation").fit(
        HEALTHY.values, masks=HEALTHY.masks
    )
    np.testing.assert_array_equal(
        detector.score_map(NEW.values[:, 0]), with_masks.score_map(NEW.values[:, 0], masks=NEW.masks)
    )


def test_p_values_are_ranks_among_healthy_arrays_that_fit_has_not_seen():
    detector = fitted(values=HEALTHY.values)
    with pytest.raises(NotFittedError, match="calibrate"):
        detector.p_values(NEW.values)
    others = healthy(9, seed=8)
    found = detector.calibrate(others.values).p_values(
        np.concatenate([with_blob(NEW, 2.0).values, others.values])
    )
    assert found[:4].tolist() == [0.1] * 4
    assert sorted(found[4:].tolist()) == pytest.approx([(2 + n) / 10 for n in range(9)])


def test_the_names_of_pyod_and_scikit_learn_are_there():
    detector = fitted(values=HEALTHY.values)
    assert detector.n_features_in_ == np.prod(SHAPE)
    np.testing.assert_array_equal(detector.decision_function(NEW.values), detector.score_samples(NEW.values))
