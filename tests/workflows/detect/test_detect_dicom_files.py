"""DICOM results of `detect` hold what its NIfTI results hold, and say so where there is no finding."""

import json

import nibabel
import numpy as np
import pytest
from helpers.brain_series import write_series
from helpers.dicom_readers import LPS, READERS, REPORT_READERS, check_same, check_same_as_nifti
from highdicom.sr import srread
from pydicom import dcmread
from typer.testing import CliRunner

import medunsup
from medunsup.anomaly.result import Finding
from medunsup.cli.main import app
from medunsup.core.errors import OutputError, UsageError
from medunsup.core.volume import Volume
from medunsup.io.dicom.export_codes import MAXIMUM, SCORE, VOLUME
from medunsup.io.dicom.export_objects import read_back
from medunsup.io.load import load
from medunsup.workflows.detect.dicom.files import measured_findings, segments_of
from medunsup.workflows.detect.dicom.finding_labels import finding_labels
from medunsup.workflows.detect.sidecar import DetectSidecar

pytestmark = pytest.mark.usefixtures("quick_registration")


@pytest.fixture
def detect(trained, tmp_path, monkeypatch):
    """Run `detect` in an empty folder; returns the files by kind."""
    monkeypatch.chdir(tmp_path)

    def run(scan, *more):
        words = ["detect", str(scan), "--model", str(trained.path), "-o", "out", "--json", *more]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        outputs = json.loads(done.stdout)["scans"][0]["outputs"]
        return {kind: tmp_path / file for kind, file in outputs.items()}

    return run


def middle(data, affine):
    return (affine @ np.r_[np.argwhere(data).mean(axis=0), 1])[:3]


def test_dicom_files_hold_what_the_nifti_files_hold(detect, patient, tmp_path):
    made = detect(write_series(load(patient), tmp_path / "series"), "--dicom")
    check_same_as_nifti(made["dicom_map-anomaly"], made["anomaly"])
    mask = nibabel.load(made["anomaly_mask"])
    listed = json.loads(made["sidecar"].read_text())["Findings"]
    for read in READERS.values():
        array, affine = read(made["dicom_findings"])
        assert len(listed) == array.max() > 0
        check_same(array > 0, affine, np.asarray(mask.dataobj) > 0, LPS @ mask.affine)
        for one in listed:
            place = middle(array == one["index"], affine) * [-1, -1, 1]
            np.testing.assert_allclose(place, one["center_mm"], atol=0.01)
    for read in REPORT_READERS.values():
        report = read(made["dicom_report"])
        assert [name for name, _ in report] == [f"Finding {one['index']}" for one in listed]
        for (_, numbers), one in zip(report, listed, strict=True):
            assert numbers[VOLUME[0], ""] == pytest.approx(one["volume_mm3"] / 1000, rel=1e-5)
            assert numbers[SCORE[0], MAXIMUM[0]] == pytest.approx(one["peak"], rel=1e-5)
    values, affine = read_back(made["dicom_map-anomaly"])
    assert values.dtype == np.float32
    peak = affine @ [*np.unravel_index(values.argmax(), values.shape), 1]
    np.testing.assert_allclose(peak[:3] * [-1, -1, 1], listed[0]["peak_mm"], atol=0.01)
    unit = dcmread(made["dicom_map-anomaly"]).SharedFunctionalGroupsSequence[0]
    unit = unit.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence[0]
    assert (unit.CodeValue, unit.CodingSchemeDesignator) == ("[arb'U]", "UCUM")


def test_binary_gives_one_file_a_finding(detect, patient, tmp_path):
    made = detect(
        patient, "--dicom", "--binary", "--reference", str(write_series(load(patient), tmp_path / "series"))
    )
    listed = json.loads(made["sidecar"].read_text())["Findings"]
    files = sorted(path for kind, path in made.items() if kind.startswith("dicom_findings-"))
    assert len(files) == min(len(listed), 20) + (len(listed) > 20)
    report = srread(made["dicom_report"]).content
    referred = [
        group.referenced_segment.referenced_sop_instance_uid
        for group in report.get_volumetric_roi_measurement_groups()
    ]
    own = len(listed[:20])
    assert referred == [dcmread(path).SOPInstanceUID for path in files[:own]]
    assert read_back(files[0])[0].sum() * np.prod(nibabel.load(made["anomaly"]).header.get_zooms()) == (
        pytest.approx(listed[0]["volume_mm3"], rel=1e-3)
    )


def test_python_writes_the_same_files(trained, patient, tmp_path):
    series, out = write_series(load(patient), tmp_path / "series"), tmp_path / "out"
    medunsup.detect(patient, trained, out, dicom="binary", reference=series)
    (folder,) = out.rglob("*_desc-anomaly_dicom")
    assert (folder / "report" / "report.dcm").exists()
    assert (folder / "findings-01" / "findings.dcm").exists()


def test_python_writes_those_of_many(trained, patient, tmp_path):
    series = [write_series(load(patient), tmp_path / name) for name in ("a", "b")]
    done = medunsup.detect_many(series, trained, tmp_path / "out", dicom="labelmap")
    for one in done.scans:
        check_same_as_nifti(one.outputs["dicom_map-anomaly"], one.outputs["anomaly"])
    with pytest.raises(UsageError, match='reference="FOLDER"'):
        medunsup.detect_many([patient], trained, tmp_path / "out", dicom="labelmap")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"dicom": "labelmap"}, "Say where"),
        ({"dicom": "labelmap", "out": "out"}, 'reference="FOLDER"'),
        ({"reference": "series", "out": "out"}, 'dicom="labelmap"'),
        ({"dicom": "fractional", "out": "out"}, "neither labelmap nor binary"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_is_done(trained, patient, tmp_path, asked, told):
    asked = {name: tmp_path / "out" if name == "out" else value for name, value in asked.items()}
    with pytest.raises(UsageError, match=told):
        medunsup.detect(patient, trained, **asked)
    with pytest.raises(UsageError, match=told):
        medunsup.segment(patient, **asked)
    assert not (tmp_path / "out").exists()


def test_without_a_finding_the_segmentation_is_there_and_empty(detect, people, tmp_path):
    series = write_series(load(people / "sub-00_T1w.nii.gz"), tmp_path / "series")
    made = detect(series, "--dicom", "--fp-per-scan", "0")
    assert not json.loads(made["sidecar"].read_text())["Findings"]
    for read in READERS.values():
        array, _ = read(made["dicom_findings"])
        assert not array.any()
    assert "dicom_report" not in made
    _, segment = dcmread(made["dicom_findings"]).SegmentSequence  # the first is the background
    assert segment.SegmentLabel == "Findings: none"
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Lesion"


def finding(index, volume_mm3):
    return Finding(index, volume_mm3, (0, 0, 0), (0, 0, 0), 1.0, 1.0, 1.0, "left", "", "GM", 1.0)


def test_findings_are_numbered_as_the_table_has_them_and_the_others_share_a_number():
    data = np.zeros((9, 9, 9), np.uint8)
    data[0:1, 0, 0], data[2:5, 0, 0], data[7:9, 0, 0] = 1, 1, 1
    mask = Volume(data, np.diag([2.0, 1, 1, 1]), "mask")
    listed = [finding(1, 6.0), finding(2, 4.0)]
    labels = finding_labels(mask, listed)
    assert labels[:, 0, 0].tolist() == [3, 0, 1, 1, 1, 0, 0, 2, 2]
    assert [each.name for each in segments_of(listed, 3)] == ["Finding 1", "Finding 2", "Further findings"]
    with pytest.raises(OutputError, match="other findings"):
        finding_labels(mask, [finding(1, 9.0)])


def test_numbers_that_mean_nothing_are_not_reported():
    flag = {"name": "body", "sentence": "s", "value": 1.0, "limit": 1.0}
    record = DetectSidecar.model_construct(
        findings=(finding(1, 6.0),), flags=(), seen_by_model=None, is_anomalous=None
    )
    labels = np.array([0, 1, 1, 2]).reshape(4, 1, 1)
    assert [(one.segment.number, one.slices) for one in measured_findings(record, labels, {})] == [
        (1, [1, 2])
    ]
    assert measured_findings(record.model_copy(update={"flags": (flag,)}), labels, {}) == []
    assert measured_findings(record.model_copy(update={"seen_by_model": "train"}), labels, {}) == []
