"""A scan of somebody the model learned from gets no verdict, in whatever file; a namesake elsewhere does."""

import json
from pathlib import Path

import pytest
from helpers import phantom
from helpers.healthy_scans import write_person

from medunsup.io.bids.names import data_set_id
from medunsup.workflows.detect.known_subject import known_subject, names_of
from medunsup.workflows.detect.scan import detect
from medunsup.workflows.train.data_set import DataSet


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


def describe(folder: Path, **facts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset_description.json").write_text(json.dumps(facts))
    return folder


class Model:
    """What is asked of a model: whom it has seen, and where."""

    def __init__(self, data_set: str = "", *subjects: str, is_shipped: bool = False) -> None:
        self.is_shipped = is_shipped
        self.data_set = DataSet("OpenNeuro ds000001", ("ds000001",))
        self.subjects = dict.fromkeys(subjects, "train")
        self.data_sets = dict.fromkeys(subjects, data_set)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("raw/sub-52_T1w.nii.gz", ["sub-52"]),
        ("sub-52/ses-1/anat/T1.nii.gz", ["sub-52"]),
        ("x/1000_T1w.nii.gz", ["1000"]),
        ("x/anna_brain_T1.nii", ["anna_brain"]),
        ("study/p1/visit1/T1.nii.gz", ["visit1", "p1", "study"]),
        ("study/p1/flair.mgz", ["p1", "study"]),
    ],
)
def test_a_scans_subject_is_read_from_its_name_or_where_that_is_a_contrast_from_its_folders(
    tmp_path, path, names
):
    assert names_of(tmp_path / path)[: len(names)] == names


def test_another_file_of_a_subject_is_known_and_a_namesake_in_a_data_set_of_another_name_is_told_apart(
    tmp_path,
):
    own, other = describe(tmp_path / "a", Name="A"), describe(tmp_path / "b", Name="B")
    seen = Model(data_set_id(own / "x"), "sub-1")
    for folder, is_elsewhere in {own: False, other: True, tmp_path: False}.items():
        known = known_subject(seen, folder / "sub-1" / "anat" / "sub-1_T2w.nii.gz")
        assert (known.subject, known.split, known.is_elsewhere) == ("sub-1", "train", is_elsewhere)
        assert "sub-1" in known.remark
    assert not known_subject(seen, own / "sub-2_T1w.nii.gz").subject
    assert not known_subject(Model("", "sub-1"), other / "sub-1_T1w.nii.gz").is_elsewhere


def test_a_data_set_is_known_by_its_name_wherever_it_lies_and_a_derivative_by_the_set_it_lies_in(tmp_path):
    first, moved = (
        describe(tmp_path / name, Name="A study", BIDSVersion=name) for name in ("1.8.0", "moved")
    )
    inside = describe(first / "derivatives" / "prep", Name="prep", DatasetType="derivative")
    alone = describe(tmp_path / "prep", Name="prep", DatasetType="derivative")
    unnamed = describe(tmp_path / "unnamed")
    ids = [data_set_id(folder / "sub-1_T1w.nii") for folder in (first, moved, inside)]
    assert len(set(ids)) == 1
    assert ids[0]
    assert [data_set_id(folder / "sub-1_T1w.nii") for folder in (alone, unnamed, tmp_path)] == ["", "", ""]


@pytest.mark.parametrize(
    "doi",
    [
        "10.18112/x.ds1.v1.0.5",
        "10.18112/X.ds1.v2.0",
        "doi:10.18112/x.ds1",
        "https://doi.org/10.18112/x.ds1.v1",
    ],
)
def test_all_versions_of_a_data_set_are_one_and_another_doi_is_another(tmp_path, doi):
    one = data_set_id(describe(tmp_path / "one", Name="A", DatasetDOI="10.18112/x.ds1.v1.0.0") / "x")
    assert data_set_id(describe(tmp_path / "again", Name="A", DatasetDOI=doi) / "x") == one
    assert data_set_id(describe(tmp_path / "other", Name="A", DatasetDOI="10.18112/x.ds10.v1.0") / "x") != one


def test_a_bundled_model_remarks_on_a_label_only_where_something_hints_at_its_data_set(tmp_path):
    own = describe(tmp_path / "own", Name="A")
    model = Model(data_set_id(own / "x"), "sub-1", is_shipped=True)
    assert known_subject(model, own / "sub-1_T1w.nii").forbids_verdict
    elsewhere = describe(tmp_path / "elsewhere", Name="B")
    for folder in (tmp_path / "mine", elsewhere):
        assert not known_subject(model, folder / "sub-1_T1w.nii").remark
    for folder in (tmp_path / "ds000001", elsewhere / "ds000001"):
        hinted = known_subject(model, folder / "sub-1" / "anat" / "sub-1_T1w.nii")
        assert not hinted.forbids_verdict
        assert "label of a subject that the model learned from (OpenNeuro ds000001)" in hinted.remark
        assert "path names ds000001" in hinted.remark
    assert not known_subject(model, tmp_path / "ds000001" / "sub-2_T1w.nii").remark


def test_a_model_of_ones_own_takes_such_a_hint_for_the_same_data_set(tmp_path):
    elsewhere = describe(tmp_path / "elsewhere", Name="B")
    model = Model(data_set_id(describe(tmp_path / "own", Name="A") / "x"), "sub-1")
    assert not known_subject(model, elsewhere / "sub-1_T1w.nii").forbids_verdict
    assert known_subject(model, elsewhere / "ds000001" / "sub-1_T1w.nii").forbids_verdict


def test_detect_gives_no_verdict_on_a_subject_of_the_model_in_another_file(trained, small_brain, tmp_path):
    name = next(name for name, part in trained.subjects.items() if part == "train")
    again = write_person(tmp_path / f"{name}_acq-again_T1w.nii.gz", small_brain, 77)
    found = detect(again, trained, tmp_path / "out", alpha=0.5)
    assert (found.seen, found.seen_subject, found.is_anomalous) == ("train", name, None)
    assert f"seen a subject of this name (it learned from {name})" in found.remarks[0]
    (sidecar,) = (tmp_path / "out").rglob("*desc-anomaly_mask.json")
    assert json.loads(sidecar.read_text())["SeenSubject"] == name
    (page,) = (tmp_path / "out").rglob("*desc-anomaly_report.html")
    text = page.read_text()
    assert text[: text.index("</section>")].count("has seen") == 1
    assert f"The model has seen a subject of this name (it learned from {name})" in text


def test_an_unseen_subject_is_judged_without_a_remark_on_it(trained, small_brain: phantom.Anatomy, tmp_path):
    found = detect(write_person(tmp_path / "sub-77_T1w.nii.gz", small_brain, 77), trained, alpha=0.5)
    assert found.is_anomalous is not None
    assert not [text for text in found.remarks if "seen" in text]
