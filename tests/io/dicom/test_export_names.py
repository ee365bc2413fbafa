"""Names in any character set come into the results as they are, also where the source names the set oddly."""

import numpy as np
import pytest
from helpers.dicom_maker import make_slices, write_slices
from helpers.dicom_readers import JUDGEMENT_READERS, READERS
from pydicom import dcmread

from medunsup.core.labels import TISSUES
from medunsup.io.dicom.export_codes import ML, VOLUME, segment_of
from medunsup.io.dicom.export_objects import write_map, write_segmentation
from medunsup.io.dicom.export_report import Judgement, MeasuredSegment, Quantity, write_report
from medunsup.io.dicom.export_source import read_source

pytestmark = pytest.mark.filterwarnings("ignore:.*character set:UserWarning")
ENGLISH, GERMAN, JAPANESE = "Smith^Ann", "Müller^Jörg", "Yamada^Tarou=山田^太郎"
SEGMENT = segment_of(TISSUES[0])


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        (None, ENGLISH),
        ("ISO_IR 6", ENGLISH),
        ("ISO_IR 100", GERMAN),
        ("ISO-IR 100", GERMAN),  # misspelt, as some devices do
        ("ISO_IR 144", "Люк^Ян"),
        (["", "ISO 2022 IR 87"], JAPANESE),
        ("ISO_IR 192", JAPANESE),
        ("GB18030", JAPANESE),
    ],
)
def test_a_name_is_the_same_in_all_results(tmp_path, characters, name):
    tags = {} if characters is None else {"SpecificCharacterSet": characters}
    folder = write_slices(make_slices(n=3, PatientName=name, **tags), tmp_path / "scan")
    source = read_source(folder)
    labels = np.ones((3, 4, 5), np.uint8)
    binary = write_segmentation(source, labels, [SEGMENT], tmp_path / "b.dcm", "BINARY")
    measured = MeasuredSegment(SEGMENT, [Quantity(VOLUME, 1.5, ML)], binary)
    judgement = Judgement("check", ("Grey matter has 1.7 mm³ – look.",))
    report = write_report(source, [measured], tmp_path / "r.dcm", judgement)
    files = [
        binary,
        write_segmentation(source, labels, [SEGMENT], tmp_path / "l.dcm"),
        write_map(source, labels / 2, tmp_path / "m.dcm", name="GM", quantity="share"),
    ]
    for path in (*files, report):
        assert str(dcmread(path).PatientName) == name
        assert str(dcmread(path).PatientID) == "ID-4711"
    for path in files:
        for read in READERS.values():
            assert read(path)[0].any()
    for read in JUDGEMENT_READERS.values():
        assert read(report).reasons == ("Grey matter has 1.7 mm3 - look.",)
