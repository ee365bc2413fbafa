"""A scan of another part of the body is told by what the scanner says, and nothing else of it is kept."""

import pytest
from helpers.dicom_maker import make_slices, write_slices
from pydicom.dataset import Dataset

from medunsup.io.dicom.body_part import body_part_of
from medunsup.io.load import load


@pytest.mark.parametrize(
    ("tags", "part"),
    [
        ({"BodyPartExamined": "SHOULDER"}, "shoulder"),
        ({"BodyPartExamined": "CSPINE", "SeriesDescription": "brain"}, "spine"),
        ({"BodyPartExamined": "NECK"}, "neck"),
        ({"BodyPartExamined": "HEADNECK"}, "head"),
        ({"BodyPartExamined": "IAC", "StudyDescription": "KNEE"}, "head"),
        ({"BodyPartExamined": "WHOLEBODY", "StudyDescription": "KNEE"}, None),
        ({"StudyDescription": "SHOULDER"}, "shoulder"),
        ({"StudyDescription": "MR Lumbar spine w/o"}, "spine"),
        ({"StudyDescription": "MRI brain and C-spine"}, "head"),
        ({"StudyDescription": "Motor study", "ProtocolName": "left hand"}, None),
        ({"ProtocolName": "forearm"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_part_of_the_body_is_told_in_known_words_alone(tags, part):
    header = Dataset()
    for name, value in tags.items():
        setattr(header, name, value)
    assert body_part_of(header) == part


def test_of_what_the_study_is_called_only_the_part_of_the_body_is_kept(tmp_path):
    slices = make_slices(StudyDescription="Shoulder of Secret Person")
    notes = load(write_slices(slices, tmp_path / "series")).source.notes
    assert notes["body_part"] == "shoulder"
    assert "Secret" not in str(notes)
