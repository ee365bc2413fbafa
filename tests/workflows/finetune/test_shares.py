"""Shares of the labels: who is drawn, how often, and what is said of them."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from medunsup.workflows.finetune.classification.figures import Truth, class_figures
from medunsup.workflows.finetune.figures import GRID, NATIVE, CaseDice, averaged, share_figures
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.finetune.shares import shares_of

quick = settings(max_examples=30, deadline=None)
ARMS = ("finetuned", "frozen", "scratch")


class Scans(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.subjects)


def scans(n: int, each: int = 1, classes: int | None = None) -> Scans:
    subjects = tuple(f"s{k}" for k in range(n) for _ in range(each))
    labels = None if classes is None else np.array([int(who[1:]) % classes for who in subjects])
    return Scans(subjects=subjects, names=subjects, labels=labels)


@quick
@given(st.integers(4, 60), st.integers(1, 3), st.sampled_from([None, 2, 3]), st.floats(0.01, 0.99))
def test_a_draw_takes_whole_subjects_and_one_of_each_class(n, each, classes, fraction):
    given_ = scans(n, each, classes)
    found = shares_of(FinetuneSettings(fractions=(fraction, 1.0)), given_)
    assert found[0].n_subjects == n
    assert len(found[0].draws) == 1
    assert len(found[0].draws[0]) == n * each
    for one in found[1:]:
        assert len(one.draws) == 5
        assert abs(one.n_subjects - fraction * n) <= (classes or 1)
        for places in one.draws:
            whose = [given_.subjects[place] for place in places]
            assert len(whose) == each * len(set(whose)) == each * one.n_subjects
            if classes is not None:
                assert set(given_.labels[places]) == set(range(classes))


def test_numbers_of_subjects_stand_beside_shares_and_equal_ones_are_one():
    found = shares_of(FinetuneSettings(fractions=(0.01, 0.25, 1.0), labelled=(1, 2, 4)), scans(8))
    assert [(one.n_subjects, len(one.draws)) for one in found] == [(8, 1), (4, 5), (2, 5), (1, 5)]


def test_a_share_is_that_of_the_subjects_drawn_not_that_asked_for():
    (found,) = shares_of(FinetuneSettings(fractions=(0.01,)), scans(40, classes=4))
    assert (found.share, found.n_subjects) == (0.1, 4)


def test_draws_differ_and_follow_from_the_seed():
    first, again, other = (
        shares_of(FinetuneSettings(fractions=(0.2,), seed=seed), scans(50))[0].draws for seed in (0, 0, 1)
    )
    assert len({tuple(one) for one in first}) == 5
    assert [tuple(one) for one in first] == [tuple(one) for one in again]
    assert [tuple(one) for one in first] != [tuple(one) for one in other]


def test_auc_of_a_share_is_the_mean_over_draws_and_differences_are_paired():
    rng = np.random.default_rng(0)
    truth = Truth([str(n) for n in range(80)], [str(n) for n in range(80)], np.arange(80) % 2)
    draws = []
    for _ in range(5):
        noise = rng.normal(size=80)
        gains = {"finetuned": 2.0, "frozen": 0.0, "scratch": 0.5}
        scores = {arm: gain * truth.classes + noise for arm, gain in gains.items()}
        draws.append({arm: np.stack([-one, one], axis=1) for arm, one in scores.items()})
    found = class_figures(0.1, 8, draws, truth)
    for arm in ARMS:
        each = [roc_auc_score(truth.classes, draw[arm][:, 1]) for draw in draws]
        np.testing.assert_allclose(found.per_draw[arm], each)
        assert found.means[arm].value == pytest.approx(np.mean(each))
        assert found.means[arm].low < np.mean(each) < found.means[arm].high
        assert found.sd(arm) == pytest.approx(np.std(each, ddof=1))
    assert found.verdict == "better"
    assert found.against["frozen"].words == "worse than scratch"
    difference = found.means["finetuned"].value - found.means["scratch"].value
    assert found.against["finetuned"].difference.value == pytest.approx(difference)


def dice(values: dict[str, list[float]], n: int) -> CaseDice:
    return CaseDice(f"scan {n}", f"subject {n}", {arm: {GRID: of, NATIVE: of} for arm, of in values.items()})


def test_dice_of_a_share_is_the_mean_over_draws_and_a_label_that_no_draw_knows_stays_unknown():
    nan = float("nan")
    draws = [
        [dice({"finetuned": [0.8, nan], "scratch": [0.6, nan]}, n) for n in range(8)],
        [dice({"finetuned": [0.6, nan], "scratch": [0.5, 0.2]}, n) for n in range(8)],
    ]
    (first, *_) = averaged(draws)
    assert first.dice["finetuned"][NATIVE][0] == pytest.approx(0.7)
    assert np.isnan(first.dice["finetuned"][NATIVE][1])
    assert first.dice["scratch"][NATIVE] == pytest.approx([0.55, 0.2])
    found = share_figures(0.5, 2, draws)
    assert found.per_draw["finetuned"] == pytest.approx([0.8, 0.6])
    assert found.per_draw["scratch"] == pytest.approx([0.6, 0.35])
    assert found.means["finetuned"].value == pytest.approx(0.7)
    assert found.verdict == "better"
