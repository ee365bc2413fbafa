"""Scans of a folder, a table or a BIDS data set are listed, or what is wrong with them is told."""

from pathlib import Path

import pytest

from medunsup.core.errors import InputError, UsageError
from medunsup.run.sources import read_source


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


def test_folder_gives_the_scans_whose_names_tell_the_contrast_asked_for(tmp_path):
    for name in ("p1/T1.nii.gz", "p1/Flair_reg.nii.gz", "p2_FLAIR.nii.gz", "p2_FLAIR_mask.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = read_source(tmp_path, contrast="FLAIR")
    assert [case.scan.name for case in found] == ["Flair_reg.nii.gz", "p2_FLAIR.nii.gz"]


@pytest.mark.parametrize("as_table", [False, True])
def test_files_that_are_called_alike_belong_to_the_people_their_folders_name(tmp_path, as_table):
    scans = ["p1/visit1/T1.nii.gz", "p1/visit2/T1.nii.gz", "p2/visit1/T1.nii.gz"]
    for name in scans:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    found = read_source(table(tmp_path, "scan", *scans) if as_table else tmp_path)
    assert [case.subject for case in found] == ["p1", "p1", "p2"]


def test_visits_of_one_bids_subject_stay_one_subject(tmp_path):
    for visit in ("a", "b"):
        (tmp_path / visit).mkdir()
        (tmp_path / visit / "sub-1_T1w.nii.gz").touch()
    assert {case.subject for case in read_source(tmp_path)} == {"sub-1"}


def test_group_and_site_of_a_bids_data_set_come_from_its_participants(tmp_path):
    (tmp_path / "dataset_description.json").write_text("{}")
    rows = ["participant_id\tage\tgroup\tsite", "sub-a\t30\tpatient\tX", "sub-b\t31\tcontrol\tn/a"]
    (tmp_path / "participants.tsv").write_text("\n".join(rows) + "\n")
    for name in "abc":
        path = tmp_path / f"sub-{name}" / "anat" / f"sub-{name}_T1w.nii.gz"
        path.parent.mkdir(parents=True)
        path.touch()
    found = read_source(tmp_path)
    assert [(case.subject, case.is_healthy, case.site) for case in found] == [
        ("sub-a", False, "X"),
        ("sub-b", True, ""),
        ("sub-c", True, ""),
    ]


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
