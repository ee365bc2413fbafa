"""Scans of a folder, a table or a BIDS data set; parts that share nobody."""

from pathlib import Path

import numpy as np
import phantom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.core.errors import InputError, UsageError
from medunsup.run.sources import Case, only_healthy, read_source, refuse_twins, split

SHARES = {"validation": 0.1, "calibration": 0.3, "seed": 0}


@pytest.fixture
def folder(tmp_path) -> Path:
    for n in range(3):
        (tmp_path / f"sub-{n}_T1w.nii.gz").touch()
        (tmp_path / f"sub-{n}_mask.nii.gz").touch()
    return tmp_path


def table(folder: Path, *rows: str) -> Path:
    path = folder / "healthy.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


def people(n: int, scans_each: int = 1) -> list[Case]:
    return [Case(Path(f"{who}_{k}.nii.gz"), f"sub-{who}") for who in range(n) for k in range(scans_each)]


def test_folder_table_and_bids_name_the_same_people(folder):
    rows = [f"sub-{n}_T1w.nii.gz\tsub-{n}_mask.nii.gz" for n in range(3)]
    listed = read_source(table(folder, "scan\tmask", *rows))
    found = read_source(folder, mask="{folder}/{id}_mask.nii.gz")
    assert [(case.scan.name, case.subject, case.mask) for case in found] == [
        (case.scan.name, case.subject, case.mask) for case in listed
    ]


def test_bids_data_set_gives_the_contrast_asked_for(tmp_path):
    (tmp_path / "dataset_description.json").write_text("{}")
    for suffix in ("T1w", "FLAIR"):
        path = tmp_path / "sub-a" / "anat" / f"sub-a_{suffix}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (case,) = read_source(tmp_path, contrast="FLAIR")
    assert (case.scan.name, case.subject) == ("sub-a_FLAIR.nii.gz", "sub-a")


def test_masks_and_maps_in_a_folder_are_no_scans(folder):
    assert all("mask" not in case.scan.name for case in read_source(folder))


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        (("file", "a.nii"), UsageError, "no column 'scan'"),
        (("scan\tlesion", "a.nii\tb.nii"), UsageError, "unknown column 'lesion'"),
        (("scan\tpart", "sub-0_T1w.nii.gz\ttraining"), UsageError, "'training' is none of train"),
        (("scan", "nobody.nii.gz"), InputError, "nobody.nii.gz: is named in healthy.tsv but is not there"),
        (("scan",), InputError, "holds no scan"),
        (("",), UsageError, "no column 'scan'"),
        (("scan\tsite", "sub-0_T1w.nii.gz\tA\tpatient"), UsageError, "line 2 has 3 cells"),
        (("scan\tgroup\tgroup", "sub-0_T1w.nii.gz\tpatient\thealthy"), UsageError, "'group' twice"),
    ],
)
def test_table_that_cannot_be_used_is_named_with_what_is_wrong(folder, rows, error, words):
    with pytest.raises(error, match=words):
        read_source(table(folder, *rows))


def test_quotes_in_a_cell_swallow_no_row(folder):
    listed = read_source(table(folder, "scan\tsite", 'sub-0_T1w.nii.gz\t"A', "sub-1_T1w.nii.gz\tB"))
    assert [(case.scan.name, case.site) for case in listed] == [
        ("sub-0_T1w.nii.gz", '"A'),
        ("sub-1_T1w.nii.gz", "B"),
    ]


@pytest.mark.parametrize("content", ["scan\na.nii\n".encode("utf-16"), b"\x1f\x8b\x08\xff"])
def test_file_that_is_no_utf_8_text_is_refused_as_a_table(tmp_path, content):
    path = tmp_path / "healthy.tsv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"healthy\.tsv: is no table.*UTF-8"):
        read_source(path)


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder"):
        read_source(tmp_path / "nowhere")


@given(n=st.integers(8, 60), scans_each=st.integers(1, 3), seed=st.integers(0, 1000))
def test_no_subject_is_ever_in_two_parts_and_nobody_is_lost(n, scans_each, seed):
    cases = people(n, scans_each)
    parts = split(cases, validation=0.1, calibration=0.3, seed=seed)
    groups = [{case.subject for case in found} for found in parts.values()]
    assert sum(len(group) for group in groups) == n
    assert sum(len(found) for found in parts.values()) == len(cases)


def test_the_order_of_a_table_does_not_change_who_is_in_which_part():
    cases = people(20)
    forward, backward = (split(order, **SHARES) for order in (cases, cases[::-1]))
    for part in forward:
        assert {case.subject for case in forward[part]} == {case.subject for case in backward[part]}


def test_parts_of_a_table_are_kept_and_test_cases_left_alone():
    parts = ["train"] * 4 + ["validation"] + ["calibration"] * 2 + ["test"]
    cases = [Case(Path(f"{n}.nii"), f"sub-{n}", part=part) for n, part in enumerate(parts)]
    found = split(cases, **SHARES)
    assert {part: len(group) for part, group in found.items()} == {
        "train": 4,
        "validation": 1,
        "calibration": 2,
    }


def test_subject_in_two_parts_is_refused():
    cases = [
        Case(Path(f"{n}.nii"), "sub-1" if n in (0, 9) else f"sub-x{n}", part=part)
        for n, part in enumerate(["train"] * 6 + ["validation"] * 2 + ["calibration"] * 2)
    ]
    with pytest.raises(InputError, match="sub-1 stands in the parts calibration and train"):
        split(cases, **SHARES)


def test_part_named_for_some_only_is_refused():
    with pytest.raises(InputError, match="has no part while others have"):
        split([Case(Path("a.nii"), "a", part="train"), Case(Path("b.nii"), "b")], **SHARES)


def test_too_few_scans_say_how_many_are_needed():
    needed = (
        r"for train: 2 of 5\. At least needed are 4 for train, 1 .*, 2 for calibration;.*calibration needs 19"
    )
    with pytest.raises(InputError, match=needed):
        split(people(5), **SHARES)


def test_names_that_make_one_subject_of_all_scans_are_explained(tmp_path):
    for n in range(9):
        (tmp_path / f"scan_{n}.nii.gz").touch()
    with pytest.raises(InputError, match=r"0 of 1\..*A subject is named by sub- or all before the last _"):
        split(read_source(tmp_path), **SHARES)


def test_part_that_a_table_leaves_empty_is_named_with_the_number_of_all():
    cases = [Case(Path(f"{n}.nii"), f"sub-{n}", part="train" if n < 55 else "calibration") for n in range(60)]
    with pytest.raises(InputError, match=r"Too few healthy subjects for validation: 0 of 60\."):
        split(cases, **SHARES)


def test_same_scan_under_two_names_is_refused_with_both():
    cases = [Case(Path("a.nii"), "a", part="train"), Case(Path("b.nii"), "b", part="calibration")]
    with pytest.raises(InputError, match=r"a\.nii and b\.nii: hold the same scan \(train and calibration\)"):
        refuse_twins(cases, ["1", "1"])


def test_patient_named_healthy_is_refused_and_an_empty_lesion_mask_is_not(tmp_path, small_brain):
    empty = small_brain.mask.like(np.zeros(small_brain.mask.shape, bool))
    phantom.save(small_brain.mask, tmp_path / "lesions.nii.gz", dtype=np.uint8)
    phantom.save(empty, tmp_path / "empty.nii.gz", dtype=np.uint8)
    fine = Case(Path("a.nii"), "a", lesions=tmp_path / "empty.nii.gz", group="control")
    ill = Case(Path("c.nii"), "c", lesions=tmp_path / "lesions.nii.gz", group="patient")
    assert only_healthy([fine, ill]) == ([fine], [ill])
    for group, called in {"healthy": "is named healthy", "": "counts as healthy"}.items():
        claimed = Case(Path("b.nii"), "b", lesions=tmp_path / "lesions.nii.gz", group=group)
        with pytest.raises(InputError, match=rf"b\.nii: {called}.*, but its lesion mask is not empty"):
            only_healthy([claimed, fine])
