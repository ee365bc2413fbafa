"""DICOM results of a segmentation hold what its NIfTI results hold; without a series they are refused."""

import json

import nibabel
import numpy as np
import pytest
from helpers.brain_series import QUICK, write_series
from helpers.dicom_maker import PATIENT_NAME
from helpers.dicom_readers import JUDGEMENT_READERS, REPORT_READERS, check_same_as_nifti
from highdicom.sr import srread
from pydicom import dcmread
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.core.errors import OutputError, UsageError
from medunsup.io.dicom.export_codes import VOLUME
from medunsup.io.dicom.export_report import Judgement
from medunsup.io.load import load
from medunsup.workflows.segment import scan as segmenting
from medunsup.workflows.segment.cohort import segment_many

CHOICES = {"method": "kmeans", "parameters": {"max_voxels": 1000}, "report": False}

pytestmark = pytest.mark.usefixtures("quick_registration")


def fail(*given, **more):
    raise OutputError("Something failed.")


@pytest.fixture
def medunsup(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def scan(make_scan):
    return make_scan()


@pytest.fixture
def series(scan, tmp_path):
    """The same head as an axial DICOM series."""
    return write_series(load(scan), tmp_path / "series")


def test_dicom_files_hold_what_the_nifti_files_hold(medunsup, series, tmp_path):
    done = medunsup("segment", series, *QUICK, "-o", "out", "--dicom", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["scans"][0]["outputs"]
    made = {path.parent.name: path for path in (tmp_path / "out" / "series_dicom").rglob("*.dcm")}
    assert set(made) == {"dseg", "map-GM", "map-WM", "map-CSF", "map-uncertainty", "report"}
    assert {told[f"dicom_{name}"] for name in made} == {
        str(path.relative_to(tmp_path)) for path in made.values()
    }
    out = tmp_path / "out"
    check_same_as_nifti(made["dseg"], out / "series_dseg.nii.gz")
    check_same_as_nifti(made["map-uncertainty"], out / "series_desc-uncertainty_statmap.nii.gz")
    for name in ("GM", "WM", "CSF"):
        check_same_as_nifti(made[f"map-{name}"], out / f"series_label-{name}_probseg.nii.gz")
    told = json.loads((tmp_path / "out" / "series_dseg.json").read_text())
    listed, quality = told["Volumes"], told["Quality"]
    for read in JUDGEMENT_READERS.values():
        assert read(made["report"]) == Judgement(quality["Verdict"], tuple(quality["Reasons"]))
    for read in REPORT_READERS.values():
        report = read(made["report"])
        assert [name for name, _ in report] == ["Gray Matter", "White Matter", "Cerebrospinal Fluid"]
        for (_, numbers), one in zip(report, listed.values(), strict=True):
            told = [numbers[VOLUME[0], how] for how in ("FRACTIONS", "LABELS")]
            wanted = [one["FromFractionsMM3"] / 1000, one["FromLabelsMM3"] / 1000]
            assert told == pytest.approx(wanted, rel=1e-5)
    for sidecar in (tmp_path / "out").glob("*.json"):
        assert PATIENT_NAME not in sidecar.read_text()


def test_binary_gives_one_file_a_tissue(medunsup, series, tmp_path):
    assert medunsup("segment", series, *QUICK, "-o", "out", "--dicom", "--binary").exit_code == 0
    made = {path.parent.name for path in (tmp_path / "out").rglob("dseg.dcm")}
    assert made == {"dseg-GM", "dseg-WM", "dseg-CSF"}
    folder = tmp_path / "out" / "series_dicom"
    labels = nibabel.load(tmp_path / "out" / "series_dseg.nii.gz")
    for number, name in enumerate(("GM", "WM", "CSF"), start=1):
        nifti = tmp_path / f"{name}.nii"
        nibabel.save(nibabel.Nifti1Image((labels.dataobj[:] == number).astype("u1"), labels.affine), nifti)
        check_same_as_nifti(folder / f"dseg-{name}" / "dseg.dcm", nifti)
    report = srread(folder / "report" / "report.dcm")
    for name, group in zip(
        ("GM", "WM", "CSF"), report.content.get_volumetric_roi_measurement_groups(), strict=True
    ):
        file = dcmread(folder / f"dseg-{name}" / "dseg.dcm")
        assert group.referenced_segment.referenced_sop_instance_uid == file.SOPInstanceUID
        assert group.referenced_segment.referenced_segment_numbers in (1, [1])


def test_a_nifti_scan_needs_the_series_it_comes_from(medunsup, scan, series, tmp_path):
    refused = medunsup("segment", scan, *QUICK, "-o", "out", "--dicom")
    assert refused.exit_code == 2
    assert "--reference" in refused.output
    assert not (tmp_path / "out").exists()
    assert medunsup("segment", scan, *QUICK, "-o", "out", "--dicom", "--reference", series).exit_code == 0
    assert (tmp_path / "out" / "scan_dicom" / "dseg" / "dseg.dcm").exists()


def test_a_series_that_lost_slices_gets_no_dicom_files(medunsup, series, scan, tmp_path):
    assert medunsup("segment", scan, *QUICK, "-o", "out").exit_code == 0
    sorted(series.iterdir())[-1].unlink()
    done = medunsup("segment", scan, *QUICK, "-o", "out", "--dicom", "--reference", series)
    assert done.exit_code == 1
    assert "is not the series" in done.output
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_a_series_of_another_head_on_the_same_grid_is_refused(medunsup, series, scan, tmp_path):
    for path in series.iterdir():
        other = dcmread(path)
        other.PixelData = np.roll(other.pixel_array, 4, axis=0).tobytes()
        other.save_as(path)
    done = medunsup("segment", scan, *QUICK, "-o", "out", "--dicom", "--reference", series)
    assert done.exit_code == 1
    assert "shows another image" in done.output
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_files_of_an_earlier_run_are_replaced_by_new_ones(medunsup, series, tmp_path):
    uids = []
    for _ in range(2):
        assert medunsup("segment", series, *QUICK, "-o", "out", "--dicom").exit_code == 0
        made = list((tmp_path / "out").rglob("*.dcm"))
        uids.append({str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in made})
    assert len(uids[0]) == len(uids[1]) == 6
    assert not uids[0] & uids[1]
    assert not list((tmp_path / "out").glob(".*dicom*"))


def test_a_scan_that_failed_does_not_get_the_earlier_result_of_another_patient(
    medunsup, series, tmp_path, monkeypatch
):
    assert medunsup("segment", series, *QUICK, "-o", "out").exit_code == 0
    for path in series.iterdir():
        other = dcmread(path)
        other.PatientID = "another"
        other.save_as(path)
    monkeypatch.setattr(segmenting, "segment_scan", fail)  # tells its error, leaves what was there
    assert medunsup("segment", series, *QUICK, "-o", "out", "--dicom", "--force").exit_code == 1
    assert (tmp_path / "out" / "series_dseg.nii.gz").exists()
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_python_writes_those_of_many_and_one_that_cannot_have_them_is_an_error(series, scan, tmp_path):
    other = write_series(load(scan), tmp_path / "other")
    for number, path in enumerate(other.iterdir()):
        slice_ = dcmread(path)
        slice_.StudyInstanceUID = f"1.2.{number + 1}"
        slice_.save_as(path)
    done = segment_many([series, other], tmp_path / "out", **CHOICES, dicom="binary")
    assert [one.status for one in done.scans] == ["done", "error"]
    assert done.scans[0].outputs["dicom_dseg-GM"].exists()
    assert "studies" in done.scans[1].error
    assert done.scans[1].outputs["dseg"].exists()


def test_python_fills_in_the_series_that_each_scan_comes_from(scan, series, tmp_path):
    (tmp_path / "dicom").mkdir()
    series.rename(tmp_path / "dicom" / "scan")
    pattern = "{folder}/dicom/{stem}"
    (one,) = segment_many([scan], tmp_path / "out", **CHOICES, dicom="labelmap", reference=pattern).scans
    check_same_as_nifti(one.outputs["dicom_dseg"], one.outputs["dseg"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"dicom": "labelmap"}, 'reference="FOLDER"'),
        ({"reference": "series"}, 'dicom="labelmap"'),
        ({"dicom": "fractional"}, "neither labelmap nor binary"),
        ({"dicom": "binary", "reference": "series"}, "one file for 2 scans"),
    ],
)
def test_what_cannot_be_had_of_many_is_told_before_anything_is_done(make_scan, tmp_path, asked, told):
    scans = [make_scan("a.nii.gz"), make_scan("b.nii.gz")]
    with pytest.raises(UsageError, match=told):
        segment_many(scans, tmp_path / "out", **CHOICES, **asked)
    assert not (tmp_path / "out").exists()
