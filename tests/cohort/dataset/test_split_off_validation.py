"""Pretraining splits: nobody stands on both sides, and who is kept for a test is not seen."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.dataset.splits import split_off_validation
from medunsup.core.errors import InputError


def cases(subjects: Sequence[int], splits: Sequence[str] = ()) -> list[Case]:
    named = splits or [""] * len(subjects)
    return [
        Case(Path(f"sub-{whose}_run-{n}.nii"), f"sub-{whose}", split=name)
        for n, (whose, name) in enumerate(zip(subjects, named, strict=True))
    ]


@given(
    subjects=st.lists(st.integers(0, 20), min_size=2, max_size=40).filter(lambda own: len(set(own)) > 1),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 5),
)
def test_every_scan_has_one_split_and_every_subject_too(subjects, share, seed):
    split = split_off_validation(cases(subjects), validation=share, seed=seed)
    assert sorted(case.scan for one in split.values() for case in one) == sorted(
        case.scan for case in cases(subjects)
    )
    train, validation = ({case.subject for case in split[name]} for name in ("train", "validation"))
    assert not train & validation
    assert len(train) >= 2
    assert abs(len(validation) - share * len(set(subjects))) <= 0.5 or len(train) == 2


def validating(seed: int) -> list[str]:
    split = split_off_validation(cases(range(20)), validation=0.2, seed=seed)
    return [case.subject for case in split["validation"]]


def test_the_seed_decides_who_validates():
    assert validating(0) == validating(0) != validating(1)


def test_a_table_decides_and_who_is_for_calibration_or_test_is_not_seen():
    splits = ["train", "train", "validation", "calibration", "test"]
    split = split_off_validation(cases(range(5), splits), validation=0.5, seed=0)
    assert {name: [case.subject for case in one] for name, one in split.items()} == {
        "train": ["sub-0", "sub-1"],
        "validation": ["sub-2"],
    }


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (cases([0, 0, 0]), "Too few subjects: 1 for the training split, of 3 scans"),
        (cases([0, 1], ["train", "test"]), "Too few subjects: 1"),
        (cases([0, 1, 2], ["train", "train", ""]), "has no split while others have"),
        (
            cases([0, 0, 1, 2], ["train", "validation", "train", "train"]),
            "Subject sub-0 stands in",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(given_, said):
    with pytest.raises(InputError, match=said):
        split_off_validation(given_, validation=0.1, seed=0)
