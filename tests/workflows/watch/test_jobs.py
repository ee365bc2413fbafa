"""What is run on a series leaves DICOM files beside its results, which belong to these results."""

from shutil import rmtree

import pytest
from helpers.brain_series import write_series
from pydicom import dcmread

from medunsup.io.load import load
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.watch.jobs import DetectJob, SegmentJob

pytestmark = pytest.mark.usefixtures("quick_registration")


def silent(text):
    pass


def uids(outcome):
    found = {kind: path for kind, path in outcome.outputs.items() if kind.startswith("dicom_")}
    return {kind: str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for kind, path in found.items()}


@pytest.fixture(params=["segment", "detect"])
def job(request, trained, tmp_path):
    """A job, and the files of the kinds that it writes."""
    if request.param == "detect":
        return DetectJob(trained.path, tmp_path / "out", "labelmap")
    settings = SegmentSettings(method="kmeans", parameters={"max_voxels": 1000})
    return SegmentJob(settings, tmp_path / "out", report=False, dicom="binary")


def test_dicom_files_are_those_of_the_result_beside_them(job, patient, tmp_path):
    series = write_series(load(patient), tmp_path / "series")
    first = job(series, silent)
    assert first.error is None
    kinds = {"dicom_findings", "dicom_map-anomaly", "dicom_report"}
    if isinstance(job, SegmentJob):
        kinds = {f"dicom_{kind}-{name}" for kind in ("dseg", "map") for name in ("GM", "WM", "CSF")}
        kinds |= {"dicom_map-uncertainty", "dicom_report"}
    earlier = uids(first)
    assert set(earlier) == kinds
    again = job(series, silent)
    assert again.status == "skipped"
    assert uids(again) == earlier
    rmtree(tmp_path / "out")
    anew = job(series, silent)
    assert anew.error is None
    assert anew.status == "done"
    assert not set(uids(anew).values()) & set(earlier.values())


def test_a_series_whose_headers_allow_no_dicom_files_is_not_tried_for_ever(job, patient, tmp_path):
    series = write_series(load(patient), tmp_path / "series", StudyDate="yesterday")
    outcome = job(series, silent)
    assert "no DICOM result can be made" in outcome.error
    assert not outcome.is_fatal
