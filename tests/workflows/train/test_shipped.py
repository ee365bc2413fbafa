"""The bundled models: they are there, small and whole, say what they are, and are found by name."""

import csv
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from medunsup.anomaly.calibration import SCANS_FOR_USUAL
from medunsup.core.errors import UsageError
from medunsup.core.geometry import Grid
from medunsup.workflows.detect.known_subject import known_subject
from medunsup.workflows.detect.scan import open_model
from medunsup.workflows.train.model_folder import CARD, DATA_CARD, read_model
from medunsup.workflows.train.shipped import DEFAULT, FOLDER, is_shipped, shipped_models
from medunsup.workflows.train.verify import verify

MOST_BYTES = 4e6
KEPT_ASIDE = {"sub-64", "sub-65", "sub-66"}
SHIPPED = list(shipped_models())


def test_one_is_taken_where_none_is_named():
    assert DEFAULT in SHIPPED
    assert open_model(None).path.name == DEFAULT


def test_all_together_are_small():
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= MOST_BYTES


@pytest.mark.parametrize("name", SHIPPED)
def test_files_are_those_that_were_written(name):
    model = read_model(name)
    assert model.files.changed() == []
    assert model.contrast == "T1w"
    assert model.is_shipped
    assert {file.name for file in model.path.iterdir()} == {"model.json", *model.facts["SHA256"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_what_was_computed_when_it_was_made_is_computed_again(name):
    assert verify(name).is_sound


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_names_origin_licence_and_limits(name):
    folder = shipped_models()[name]
    card = (folder / CARD).read_text() + (folder / DATA_CARD).read_text()
    for fact in ("ds002748", "CC0", "doi:10.18112", "one scanner", "depression", "Not for diagnosis"):
        assert fact.lower() in card.lower().replace("\n", " "), fact
    assert "## What it must not be used for" in card


@pytest.mark.parametrize("name", SHIPPED)
def test_scans_kept_aside_are_in_no_split_and_calibration_supports_a_verdict(name):
    model = read_model(name)
    parts = list(model.subjects.values())
    assert not KEPT_ASIDE & set(model.subjects)
    assert len(model.subjects) == len(parts) <= 63
    assert parts.count("calibration") >= SCANS_FOR_USUAL


@pytest.mark.parametrize("name", SHIPPED)
def test_no_folder_of_the_machine_it_was_made_on_is_told(name):
    for file in shipped_models()[name].iterdir():
        if file.suffix in (".json", ".md", ".tsv"):
            assert not re.search(r"(?<![\w.<])/\w+/\w+", re.sub(r"https?://\S+", "", file.read_text())), file
    with (shipped_models()[name] / "scans.tsv").open(newline="") as table:
        assert all("/" not in row["scan"] for row in csv.DictReader(table, delimiter="\t"))


def test_a_subject_of_another_data_set_with_the_same_name_is_no_subject_of_theirs(tmp_path):
    model = read_model(DEFAULT)
    subject = next(iter(model.subjects))
    scan = tmp_path / f"{subject}_T1w.nii.gz"
    assert not known_subject(model, scan).subject
    about = {"Name": "Resting state with closed eyes for patients with depression and healthy participants"}
    about |= {"BIDSVersion": "1.0.2", "DatasetDOI": "10.18112/openneuro.ds002748.v1.0.5"}
    (tmp_path / "dataset_description.json").write_text(json.dumps(about))
    assert known_subject(model, scan).subject == subject


@pytest.mark.parametrize("name", SHIPPED)
def test_a_label_of_theirs_is_remarked_on_where_path_or_grid_hints_at_their_data_set(name, tmp_path):
    model = read_model(name)
    scan = next(iter(model.subjects)) + "_T1w.nii.gz"
    as_it_came = Grid((288, 288, 181), np.diag([-0.8680556, 0.8680556, 1.0, 1.0]))
    hinted = (
        known_subject(model, tmp_path / "ds002748" / scan),
        known_subject(model, tmp_path / scan, grid=as_it_came),
    )
    for known in hinted:
        assert "OpenNeuro ds002748" in known.remark
        assert not known.forbids_verdict
    assert not known_subject(model, tmp_path / "sub-66_T1w.nii.gz", grid=as_it_came).remark
    assert not known_subject(model, tmp_path / scan, grid=Grid((256, 256, 176), np.eye(4))).remark


def test_a_name_that_is_nearly_one_is_told():
    with pytest.raises(UsageError, match=f"Did you mean '{DEFAULT}'"):
        read_model(DEFAULT[:-1])


def test_what_lies_under_a_path_wins_over_a_name(tmp_path, monkeypatch):
    shutil.copytree(shipped_models()[DEFAULT], tmp_path / DEFAULT)
    monkeypatch.chdir(tmp_path)
    own = read_model(DEFAULT)
    assert own.path == Path(DEFAULT)
    assert not is_shipped(own.path)


@pytest.mark.slow
def test_the_wheel_holds_them(repository, tmp_path):
    pytest.importorskip("hatchling")
    words = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run([sys.executable, *words], cwd=repository, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = [item for item in archive.infolist() if item.filename.startswith("medunsup/models/")]
    files = {file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*") if file.is_file()}
    assert {item.filename.removeprefix("medunsup/models/") for item in inside} == files
    assert sum(item.compress_size for item in inside) <= MOST_BYTES
