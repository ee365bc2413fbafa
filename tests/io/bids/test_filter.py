"""Sessions and filter files pick scans by the entities of their names."""

import json
from pathlib import Path

import pytest

from medunsup.cohort.dataset.bids import find_scans
from medunsup.core.errors import InputError, UsageError
from medunsup.io.bids.filter import BidsFilter, read_filter, session_filter

NAMES = [
    "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
    "sub-01/ses-1/anat/sub-01_ses-1_acq-fast_run-01_T1w.nii.gz",
    "sub-01/ses-2/anat/sub-01_ses-2_acq-fast_run-02_T1w.nii.gz",
    "sub-02/anat/sub-02_T1w.nii.gz",
    "sub-02/anat/sub-02_T2w.nii.gz",
]


@pytest.fixture
def data_set(tmp_path):
    root = tmp_path / "study"
    for name in NAMES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"scan")
    (root / "dataset_description.json").write_text('{"Name": "study", "BIDSVersion": "1.10.0"}')
    return root


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({}, [0, 1, 2, 3]),
        ({"session": "1"}, [0, 1]),
        ({"session": ["1", "2"], "acquisition": "fast"}, [1, 2]),
        ({"acquisition": None}, [0, 3]),
        ({"session": None}, [3]),
        ({"session": "*", "acquisition": None}, [0]),
        ({"run": 1}, [1]),
        ({"run": [1, None]}, [0, 1, 3]),
        ({"suffix": "T1w", "datatype": "anat", "extension": [".nii", ".nii.gz"]}, [0, 1, 2, 3]),
        ({"ses": "2"}, [2]),
    ],
)
def test_a_filter_file_takes_what_its_entities_say(data_set, tmp_path, asked, taken):
    file = tmp_path / "filter.json"
    file.write_text(json.dumps({"t1w": asked, "bold": {"task": "rest"}}))
    found = find_scans(data_set, (), "T1w", [read_filter(file, "T1w")])
    assert [path.relative_to(data_set).as_posix() for path in found] == [NAMES[n] for n in taken]


@pytest.mark.parametrize("label", ["2", "ses-2", "02"])
def test_a_session_is_named_with_or_without_its_prefix(data_set, label):
    (found,) = find_scans(data_set, (), "T1w", [session_filter([label])])
    assert found == data_set / NAMES[2]


def test_a_session_that_nobody_has_is_told(data_set):
    with pytest.raises(InputError, match="none of its 4 T1w scans has ses 9"):
        find_scans(data_set, (), "T1w", [session_filter(["9"])])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[]", "is no filter file"),
        ('{"t1w": {"colour": "red"}}', "unknown entity 'colour'"),
        ('{"t2w": {}}', "says nothing of T1w; it has t2w"),
    ],
)
def test_what_is_wrong_with_a_filter_file_is_told(tmp_path, text, told):
    file = tmp_path / "filter.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_filter(file, "T1w")


def test_no_filter_takes_everything():
    assert BidsFilter().takes(Path("anything.nii"))
