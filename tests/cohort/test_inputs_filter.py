"""Results of an earlier run that lie beside the scans are no scans."""

import json
import logging

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.cohort.dataset.sources import read_source
from medunsup.cohort.inputs_filter import without_results
from medunsup.core.errors import UsageError
from medunsup.io.bids.provenance_mark import result_kind
from medunsup.io.load import load
from medunsup.io.nifti.write import write_volume
from medunsup.workflows.segment.cohort import make_requests, segment_many
from medunsup.workflows.segment.settings import SegmentSettings

pytestmark = pytest.mark.usefixtures("quick_registration")
CHOICES = {"method": "kmeans", "parameters": {"max_voxels": 1000}, "report": False}
WORDS = ["--method", "kmeans", "--set", "max_voxels=1000", "--no-report"]


@pytest.fixture
def done(make_scan, tmp_path):
    """Folder of a scan with its results beside it."""
    segment_many([make_scan("pat.nii.gz")], **CHOICES)
    return tmp_path


def maps(folder):
    return sorted(path for path in folder.rglob("*.nii.gz") if path.name != "pat.nii.gz")


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_every_map_that_is_written_says_so_in_its_header_and_no_scan_does(done):
    assert all(result_kind(path) for path in maps(done))
    assert result_kind(done / "pat_desc-biascorrected.nii.gz") == "corrected"
    (done / "short.nii.gz").write_bytes(b"\x1f\x8b")
    for name in ("pat.nii.gz", "short.nii.gz", "missing.nii", "pat_volumes.tsv", "."):
        assert result_kind(done / name) == ""


@pytest.mark.parametrize("version", [nib.Nifti1Image, nib.Nifti2Image])
def test_a_map_says_so_in_either_version_of_nifti(version, tmp_path):
    nib.save(version(np.arange(27.0).reshape(3, 3, 3), np.eye(4)), tmp_path / "scan.nii.gz")
    write_volume(load(tmp_path / "scan.nii.gz"), tmp_path / "map.nii.gz", descrip="medunsup dseg")
    assert type(nib.load(tmp_path / "map.nii.gz")) is version
    assert (result_kind(tmp_path / "scan.nii.gz"), result_kind(tmp_path / "map.nii.gz")) == ("", "dseg")


def test_second_run_on_all_files_takes_the_scan_alone(done, caplog):
    n_maps = len(maps(done))
    with caplog.at_level(logging.WARNING):
        made = segment_many(sorted(done.glob("*.nii.gz")), **CHOICES)
    assert [(scan.scan.name, scan.status) for scan in made.scans] == [("pat.nii.gz", "skipped")]
    assert caplog.messages == [f"{n_maps} results of medunsup among the files were left out."]
    assert len(maps(done)) == n_maps


@pytest.mark.parametrize("quiet", [False, True])
def test_command_says_so_in_one_line(done, quiet):
    told = run("segment", *sorted(done.glob("*.nii.gz")), *WORDS, *(["--quiet"] if quiet else []))
    assert told.exit_code == 0
    assert told.stderr.count("were left out.") == (not quiet)


def test_command_refuses_results_where_there_is_no_scan(done):
    for files in ([done / "pat_dseg.nii.gz"], maps(done)):
        told = run("segment", *files, "-o", done / "out", "--json")
        assert told.exit_code == 2
        assert "Give the scan it was made from." in json.loads(told.stdout)["error"]


def test_python_refuses_a_result_as_the_scan(done):
    with pytest.raises(UsageError, match=r"pat_dseg\.nii\.gz: is a result of medunsup \(dseg\), not a scan"):
        medunsup.segment(done / "pat_dseg.nii.gz", method="kmeans")


def test_bias_corrected_scan_is_a_scan_where_nothing_else_is_given(done):
    corrected = done / "pat_desc-biascorrected.nii.gz"
    assert segment_many([corrected], done / "out", **CHOICES).n_failed == 0
    assert without_results([corrected, done / "pat.nii.gz"]) == [done / "pat.nii.gz"]
    with pytest.raises(UsageError, match="the 1 other"):
        without_results([corrected, done / "pat_dseg.nii.gz"])


def test_results_in_a_folder_to_learn_from_are_no_healthy_scans(done):
    (case,) = read_source(done)
    assert case.scan.name == "pat.nii.gz"


def test_only_what_is_left_must_have_files_of_its_own(done):
    settings = SegmentSettings(method="kmeans")
    (request,) = make_requests(sorted(done.glob("*.nii.gz")), settings, mask=str(done / "pat.nii.gz"))
    assert request.scan.path.name == "pat.nii.gz"
