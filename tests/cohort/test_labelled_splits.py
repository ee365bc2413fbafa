"""Whom is tested on and whose labels are given: by subject, each class by its share, nobody seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.cohort.labelled.splits import draw_labels, split_off_test_by_class
from medunsup.core.errors import InputError

few = settings(max_examples=30, deadline=None)


def cohort(n: int, scans_each: int) -> tuple[list[str], list[str]]:
    subjects = [f"s{k}" for k in range(n) for _ in range(scans_each)]
    return subjects, ["a" if int(who[1:]) % 3 else "b" for who in subjects]


@few
@given(st.integers(12, 40), st.integers(1, 3), st.floats(0.1, 0.9), st.integers(0, 9))
def test_a_subject_stands_in_one_split_and_none_that_was_seen_is_tested_on(n, scans_each, share, seed):
    subjects, labels = cohort(n, scans_each)
    seen = {f"s{k}" for k in range(0, n, 4)}
    is_test = split_off_test_by_class(subjects, labels, share=share, seed=seed, seen=seen)
    tested = {who for who, chosen in zip(subjects, is_test, strict=True) if chosen}
    learned = {who for who, chosen in zip(subjects, is_test, strict=True) if not chosen}
    assert not tested & (learned | seen)
    for one in "ab":
        of_class = {who for who, label in zip(subjects, labels, strict=True) if label == one}
        assert len(of_class & tested) >= 2
        assert of_class & learned


def test_where_pretraining_saw_everybody_the_remedy_is_told():
    subjects, labels = cohort(12, 1)
    with pytest.raises(InputError, match="0 of 4 were not seen by pretraining"):
        split_off_test_by_class(subjects, labels, share=0.3, seed=0, seen=set(subjects[::3]))


@few
@given(st.integers(4, 60), st.integers(1, 3), st.floats(0.01, 1), st.integers(0, 9))
def test_labels_are_drawn_by_subject_each_class_by_its_share(n, scans_each, fraction, seed):
    subjects, labels = cohort(n, scans_each)
    codes = np.array([label == "b" for label in labels]).astype(np.intp)
    chosen = draw_labels(subjects, codes, fraction, np.random.default_rng(seed))
    for one in (0, 1):
        everybody = {who for who, code in zip(subjects, codes, strict=True) if code == one}
        taken = {subjects[place] for place in chosen if codes[place] == one}
        assert len(taken) == max(1, round(fraction * len(everybody)))
        assert sum(codes[chosen] == one) == scans_each * len(taken)
