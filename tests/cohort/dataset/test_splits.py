"""Parts of a data set share nobody, and none is too small."""

from pathlib import Path

import numpy as np
import pytest
from helpers import phantom
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cohort.dataset.sources import Case, read_source
from medunsup.cohort.dataset.splits import only_healthy, refuse_duplicates, split
from medunsup.core.errors import InputError

SHARES = {"validation": 0.1, "calibration": 0.3, "seed": 0}


def people(n: int, scans_each: int = 1) -> list[Case]:
    return [Case(Path(f"{who}_{k}.nii.gz"), f"sub-{who}") for who in range(n) for k in range(scans_each)]


@given(n=st.integers(8, 60), scans_each=st.integers(1, 3), seed=st.integers(0, 1000))
def test_no_subject_is_ever_in_two_splits_and_nobody_is_lost(n, scans_each, seed):
    cases = people(n, scans_each)
    splits = split(cases, validation=0.1, calibration=0.3, seed=seed)
    groups = [{case.subject for case in found} for found in splits.values()]
    assert sum(len(group) for group in groups) == n
    assert sum(len(found) for found in splits.values()) == len(cases)


def test_the_order_of_a_table_does_not_change_who_is_in_which_split():
    cases = people(20)
    forward, backward = (split(order, **SHARES) for order in (cases, cases[::-1]))
    for name in forward:
        assert {case.subject for case in forward[name]} == {case.subject for case in backward[name]}


def test_sixty_scans_support_a_verdict_at_05_where_nothing_decides_when_to_stop():
    splits = split(people(60), **SHARES, stops_early=False)
    assert {name: len(group) for name, group in splits.items()} == {
        "train": 36,
        "validation": 0,
        "calibration": 24,
    }


def test_table_without_validation_will_do_where_nothing_decides_when_to_stop():
    splits = ["train"] * 4 + ["calibration"] * 2
    cases = [Case(Path(f"{n}.nii"), f"sub-{n}", split=name) for n, name in enumerate(splits)]
    found = split(cases, **SHARES, stops_early=False)
    assert [len(group) for group in found.values()] == [4, 0, 2]


def test_splits_of_a_table_are_kept_and_test_cases_left_alone():
    splits = ["train"] * 4 + ["validation"] + ["calibration"] * 2 + ["test"]
    cases = [Case(Path(f"{n}.nii"), f"sub-{n}", split=name) for n, name in enumerate(splits)]
    found = split(cases, **SHARES)
    assert {name: len(group) for name, group in found.items()} == {
        "train": 4,
        "validation": 1,
        "calibration": 2,
    }


def test_subject_in_two_splits_is_refused():
    cases = [
        Case(Path(f"{n}.nii"), "sub-1" if n in (0, 9) else f"sub-x{n}", split=name)
        for n, name in enumerate(["train"] * 6 + ["validation"] * 2 + ["calibration"] * 2)
    ]
    with pytest.raises(InputError, match="sub-1 stands in the splits calibration and train"):
        split(cases, **SHARES)


def test_split_named_for_some_only_is_refused():
    with pytest.raises(InputError, match="has no split while others have"):
        split([Case(Path("a.nii"), "a", split="train"), Case(Path("b.nii"), "b")], **SHARES)


def test_too_few_scans_say_how_many_are_needed():
    needed = (
        r"2 of 5 for the training split\. At least 7 .*\(4 for the training split, 1 .*, 2 for the .*\);"
        r".*calibration needs 19"
    )
    with pytest.raises(InputError, match=needed):
        split(people(5), **SHARES)


def test_names_that_make_one_subject_of_all_scans_are_explained(tmp_path):
    for n in range(9):
        (tmp_path / f"scan_{n}.nii.gz").touch()
    with pytest.raises(
        InputError, match=r"0 of 1 for the .*A subject is named by sub- or all before the last _"
    ):
        split(read_source(tmp_path), **SHARES)


def test_split_that_a_table_leaves_empty_is_named_with_the_number_of_all():
    cases = [
        Case(Path(f"{n}.nii"), f"sub-{n}", split="train" if n < 55 else "calibration") for n in range(60)
    ]
    with pytest.raises(InputError, match=r"Too few healthy subjects: 0 of 60 for the validation split\."):
        split(cases, **SHARES)


def test_too_few_subjects_are_told_how_many_are_needed_in_all():
    cases = [Case(Path(f"{n}.nii"), f"sub-{n}") for n in range(4)]
    with pytest.raises(InputError, match=r"2 of 4 for the training split\. At least 6 are needed in all"):
        split(cases, **SHARES, stops_early=False)
    half = {"validation": 0.1, "calibration": 0.5, "seed": 0, "stops_early": False}
    with pytest.raises(InputError, match="At least 9 are needed"):
        split(cases, **half)
    split([*cases, *(Case(Path(f"{n}.nii"), f"sub-{n}") for n in (4, 5))], **SHARES, stops_early=False)


def test_same_scan_under_two_names_is_refused_with_both():
    cases = [Case(Path("a.nii"), "a", split="train"), Case(Path("b.nii"), "b", split="calibration")]
    with pytest.raises(InputError, match=r"a\.nii and b\.nii: hold the same scan \(train and calibration\)"):
        refuse_duplicates(cases, ["1", "1"])


def test_patient_named_healthy_is_refused_and_an_empty_lesion_mask_is_not(tmp_path, small_brain):
    empty = small_brain.mask.like(np.zeros(small_brain.mask.shape, bool))
    phantom.save(small_brain.mask, tmp_path / "lesions.nii.gz", dtype=np.uint8)
    phantom.save(empty, tmp_path / "empty.nii.gz", dtype=np.uint8)
    fine = Case(Path("a.nii"), "a", lesions=tmp_path / "empty.nii.gz", group="control", state="healthy")
    ill = Case(Path("c.nii"), "c", lesions=tmp_path / "lesions.nii.gz", group="patient", state="patient")
    assert only_healthy([fine, ill]) == ([fine], [ill])
    for group, called in {"healthy": "is named healthy", "": "counts as healthy"}.items():
        state = "healthy" if group else "given"
        claimed = Case(Path("b.nii"), "b", lesions=tmp_path / "lesions.nii.gz", group=group, state=state)
        with pytest.raises(InputError, match=rf"b\.nii: {called}.*, but its lesion mask is not empty"):
            only_healthy([claimed, fine])
