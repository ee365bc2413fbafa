"""Scans of a folder, a table or a BIDS data set are listed, or what is wrong with them is told."""

from pathlib import Path

import pytest

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.dataset.sources import open_source, read_source, refuse_unfetched
from medunsup.core.errors import InputError, UsageError


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
    assert [(case.subject, case.state, case.site) for case in found] == [
        ("sub-a", "patient", "X"),
        ("sub-b", "healthy", ""),
        ("sub-c", "unknown", ""),
    ]


def data_set(root: Path, subjects: str, **files: str) -> Path:
    """A BIDS data set with a scan of each subject, one letter each."""
    for name, text in {"dataset_description.json": "{}", **files}.items():
        (root / name).write_text(text)
    for name in subjects:
        (root / f"sub-{name}" / "anat").mkdir(parents=True)
        (root / f"sub-{name}" / "anat" / f"sub-{name}_T1w.nii.gz").touch()
    return root


def test_a_plain_folder_with_participants_is_read_with_them(folder):
    (folder / "participants.tsv").write_text("participant_id\tgroup\nsub-0\tdepr\nsub-1\tcontrol\n")
    assert [case.state for case in read_source(folder)] == ["patient", "healthy", "unknown"]
    named = read_source(folder, healthy=HealthyWords("group", ("depr", "control")))
    assert [case.state for case in named] == ["healthy", "healthy", "unknown"]


def test_in_a_table_an_empty_group_says_nothing_and_a_word_that_is_not_healthy_is_a_patients(folder):
    rows = ["sub-0_T1w.nii.gz\tHC", "sub-1_T1w.nii.gz\tms", "sub-2_T1w.nii.gz\t"]
    listed = table(folder, "scan\tgroup", *rows)
    assert [case.state for case in read_source(listed)] == ["healthy", "patient", "given"]
    named = read_source(listed, healthy=HealthyWords("group", ("ms",)))
    assert [case.state for case in named] == ["patient", "healthy", "given"]


def test_a_table_may_have_the_column_that_the_user_names(folder):
    listed = table(folder, "scan\tdx", "sub-0_T1w.nii.gz\t1", "sub-1_T1w.nii.gz\t2")
    named = read_source(listed, healthy=HealthyWords("dx", ("2",)))
    assert [(case.state, case.evidence) for case in named] == [("patient", "dx 1"), ("healthy", "dx 2")]


def test_linked_subjects_sessions_and_folders_are_entered(tmp_path):
    (tmp_path / "store").mkdir()
    store = data_set(tmp_path / "store", "abc")
    linked = tmp_path / "linked"
    (linked / "sub-a").mkdir(parents=True)
    (linked / "dataset_description.json").write_text("{}")
    (linked / "sub-a" / "ses-1").symlink_to(store / "sub-a")
    (linked / "sub-b").symlink_to(store / "sub-b")
    assert [case.subject for case in read_source(linked)] == ["sub-a", "sub-b"]
    (linked / "dataset_description.json").unlink()
    assert [case.subject for case in read_source(linked)] == ["sub-a", "sub-b"]


def test_hidden_folders_hold_no_scans(tmp_path):
    (tmp_path / ".git" / "annex").mkdir(parents=True)
    (tmp_path / ".git" / "annex" / "p0_T1w.nii.gz").touch()
    (tmp_path / "p1_T1w.nii.gz").touch()
    assert [case.subject for case in read_source(tmp_path)] == ["p1"]


def test_unfetched_scans_are_refused_with_the_command_only_where_they_are_needed(tmp_path):
    rows = "participant_id\tgroup\nsub-a\tcontrol\nsub-b\tpatient\nsub-c\tcontrol\n"
    root = data_set(tmp_path, "abc", **{"participants.tsv": rows})
    for name in "bc":
        scan = root / f"sub-{name}" / "anat" / f"sub-{name}_T1w.nii.gz"
        scan.unlink()
        scan.symlink_to("../../.git/annex/objects/aa/bb/key/key")
    healthy = [case for case in read_source(root) if case.is_healthy]
    refuse_unfetched(healthy[:1])
    with pytest.raises(
        InputError, match=r"sub-c_T1w\.nii\.gz: its content has not been fetched\. .*datalad get"
    ):
        refuse_unfetched(healthy)


def test_phase_images_are_no_scans_of_a_data_set_or_folder(tmp_path):
    root = data_set(tmp_path, "a")
    (root / "sub-a" / "anat" / "sub-a_part-phase_T1w.nii.gz").touch()
    assert [case.scan.name for case in read_source(root)] == ["sub-a_T1w.nii.gz"]
    assert dict(open_source(root).left_out) == {"phase image, by its name": 1}
    (root / "dataset_description.json").unlink()
    assert [case.scan.name for case in read_source(root)] == ["sub-a_T1w.nii.gz"]


def test_a_column_is_read_by_its_old_name_with_a_warning(folder):
    with pytest.warns(FutureWarning, match="part is called split now"):
        (case,) = read_source(table(folder, "scan\tpart", "sub-0_T1w.nii.gz\ttest"))
    assert case.split == "test"


def test_masks_and_maps_in_a_folder_are_no_scans(folder):
    assert all("mask" not in case.scan.name for case in read_source(folder))


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        (("file", "a.nii"), UsageError, "no column 'scan'"),
        (("scan\tlesion", "a.nii\tb.nii"), UsageError, "unknown column 'lesion'"),
        (("scan\tsplit", "sub-0_T1w.nii.gz\ttraining"), UsageError, "'training' is none of train"),
        (("scan", "nobody.nii.gz"), InputError, "nobody.nii.gz: is named in healthy.tsv but is not there"),
        (("scan",), InputError, "names no scan. Give a table with a line"),
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
