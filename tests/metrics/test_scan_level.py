"""Scan-level AUROC: the plain definition, and an interval that stays honest at the ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from medunsup.core.errors import InputError
from medunsup.metrics.scan_level import scan_auroc

group = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(group, group)
def test_value_is_scikit_learns_and_lies_in_its_interval(healthy, patients):
    found = scan_auroc(healthy, patients)
    truth = np.repeat([0, 1], [len(healthy), len(patients)])
    assert found.value == pytest.approx(roc_auc_score(truth, [*healthy, *patients]))
    assert 0 <= found.low <= found.value <= found.high <= 1


@settings(max_examples=60, deadline=None)
@given(group, group)
def test_reversing_the_score_mirrors_the_interval(healthy, patients):
    there, back = scan_auroc(healthy, patients), scan_auroc(np.negative(healthy), np.negative(patients))
    assert (back.low, back.high) == pytest.approx((1 - there.high, 1 - there.low), abs=1e-6)


def test_complete_separation_of_few_scans_is_no_certainty():
    few, many = scan_auroc(range(5), range(10, 15)), scan_auroc(range(50), range(100, 150))
    assert few.value == few.high == 1
    assert few.low < 0.75 < many.low < 1


def test_scores_that_are_no_numbers_or_missing_are_refused():
    for healthy, patients in (([], [1.0]), ([0.0], [np.nan])):
        with pytest.raises(InputError, match="finite"):
            scan_auroc(healthy, patients)


@pytest.mark.parametrize("separation", [0.0, 1.0, 2.5])
def test_95_percent_intervals_hold_the_truth_about_95_times_in_100(separation):
    generator = np.random.default_rng(0)
    truth = stats.norm.cdf(separation / np.sqrt(2))
    trials = [
        scan_auroc(generator.normal(size=12), generator.normal(separation, size=12)) for _ in range(600)
    ]
    assert 0.92 < np.mean([one.low <= truth <= one.high for one in trials]) < 0.99
