"""A report of measurements reads back, names no more of the patient than it must, and dcmtk reads it."""

import shutil
import subprocess

import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices
from helpers.dicom_readers import JUDGEMENT_READERS, REPORT_READERS
from pydicom import dcmread
from pydicom.uid import ComprehensiveSRStorage

from medunsup.core.errors import OutputError
from medunsup.core.labels import TISSUES
from medunsup.core.volume import Volume
from medunsup.io.dicom import export_report
from medunsup.io.dicom.export_codes import FROM_FRACTIONS, FROM_LABELS, ML, VOLUME, segment_of
from medunsup.io.dicom.export_objects import write_segmentation
from medunsup.io.dicom.export_report import Judgement, MeasuredSegment, Quantity, read_judgement, write_report
from medunsup.io.dicom.export_source import read_source
from medunsup.io.load import load

SEGMENTS = [segment_of(label) for label in TISSUES]
needs_dcmtk = pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dcmtk is not installed")


JUDGEMENT = Judgement("check", (3 * "Grey matter has 1.7 mm³ alone, usual is more; " + "so look.", "Ghosts."))


def quantities(ml):
    return [Quantity(VOLUME, ml, ML, FROM_FRACTIONS), Quantity(VOLUME, ml / 3, ML, FROM_LABELS)]


@pytest.fixture
def folder(tmp_path):
    tags = {"PatientAge": "077Y", "PatientComments": "private", "StudyDescription": "private"}
    return write_slices(make_slices(make_voxels((7, 5, 6)), **tags), tmp_path / "scan")


@pytest.fixture(params=["images", "segments"])
def report(request, folder, tmp_path):
    """A report that refers to the images, and one that refers to BINARY segmentations."""
    source, scan = read_source(folder), load(folder)
    labels = source.frames(Volume((scan.data > scan.data.mean()).astype("u1"), scan.affine, "label"))
    files = [None] * 3
    if request.param == "segments":
        files = [
            write_segmentation(source, labels, [each], tmp_path / each.name / "a.dcm", "BINARY")
            for each in SEGMENTS
        ]
    measured = [
        MeasuredSegment(each, quantities(600.123456 * each.number), file)
        for each, file in zip(SEGMENTS, files, strict=True)
    ]
    return write_report(source, measured, tmp_path / "report" / "a.dcm", JUDGEMENT)


@pytest.mark.parametrize("reader", REPORT_READERS)
def test_numbers_read_back_with_their_names(report, reader):
    found = REPORT_READERS[reader](report)
    assert [name for name, _ in found] == [each.name for each in SEGMENTS]
    for n, (_, numbers) in enumerate(found, start=1):
        key = VOLUME[0]
        assert numbers[key, FROM_FRACTIONS[0]] == pytest.approx(600.123456 * n, rel=1e-5)
        assert numbers[key, FROM_LABELS[0]] == pytest.approx(200.041152 * n, rel=1e-5)
    assert dcmread(report).SOPClassUID == ComprehensiveSRStorage
    assert not report.with_name(".a.dcm.part").exists()


@pytest.mark.parametrize("reader", JUDGEMENT_READERS)
def test_the_verdict_and_its_reasons_read_back(report, reader):
    told = JUDGEMENT_READERS[reader](report)
    assert told == Judgement("check", tuple(each.replace("³", "3") for each in JUDGEMENT.reasons))


def test_a_report_without_a_verdict_has_none(folder, tmp_path):
    measured = [MeasuredSegment(SEGMENTS[0], quantities(1.0))]
    assert read_judgement(write_report(read_source(folder), measured, tmp_path / "r.dcm")) is None


def test_only_required_tags_of_the_patient_are_copied(report, folder):
    made, source = dcmread(report), dcmread(next(folder.iterdir()))
    kept = {element.keyword for element in made.group_dataset(0x0010)}
    assert kept == {"PatientName", "PatientID", "PatientBirthDate", "PatientSex"}
    assert "private" not in str(made)
    assert made.StudyInstanceUID == source.StudyInstanceUID
    assert made.SeriesInstanceUID != source.SeriesInstanceUID
    assert (made.VerificationFlag, made.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")


def test_it_refers_to_each_image(report, folder):
    uids = {dcmread(path).SOPInstanceUID for path in folder.iterdir()}
    evidence = dcmread(report).CurrentRequestedProcedureEvidenceSequence
    referred = {
        item.ReferencedSOPInstanceUID
        for study in evidence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert uids <= referred


def test_enhanced_sources_are_served(tmp_path):
    path = write_dicom(make_enhanced(make_voxels((7, 5, 6)), SOPInstanceUID="1.2.3.4"), tmp_path / "e.dcm")
    made = write_report(
        read_source(path), [MeasuredSegment(SEGMENTS[0], quantities(1.0))], tmp_path / "r.dcm"
    )
    for read in REPORT_READERS.values():
        assert [name for name, _ in read(made)] == ["Gray Matter"]


def test_a_report_that_reads_back_otherwise_is_not_kept(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(export_report, "read_report", lambda path: [("Gray Matter", {})])
    with pytest.raises(OutputError, match="read back"):
        write_report(read_source(folder), [MeasuredSegment(SEGMENTS[0], quantities(1.0))], tmp_path / "r.dcm")
    assert not list(tmp_path.glob("*.dcm"))
    assert not list(tmp_path.glob(".*.part"))


@needs_dcmtk
def test_dcmtk_reads_it_without_an_error(report):
    done = subprocess.run(["dsrdump", "+Pl", "+Pc", report], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Imaging Measurement Report" in done.stdout
    assert "600.123" in done.stdout
    assert '"Quality verdict")=(CHECK,99MEDUNSUP,"Check")>' in done.stdout
    assert "Grey matter has 1.7 mm3 alone" in done.stdout
    assert not [line for line in done.stderr.splitlines() if line[:2] in ("E:", "F:", "W:")]
