"""Where results go is one rule, and said before anything is begun."""

import json
import logging

import pytest

from medunsup.cohort.places import where
from medunsup.core.errors import UsageError
from medunsup.io.bids.names import output_names
from medunsup.workflows.segment.cohort import make_requests, segment_many
from medunsup.workflows.segment.settings import SegmentSettings


@pytest.fixture
def data_set(tmp_path):
    root = tmp_path / "study"
    (root / "sub-01" / "anat").mkdir(parents=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "study", "BIDSVersion": "1.10.0"}))
    return root


def test_only_a_scan_named_after_bids_within_a_data_set_goes_to_its_derivatives(data_set, tmp_path):
    inside, outside = data_set / "sub-01" / "anat", tmp_path / "other"
    places = {
        path: output_names(path, None).root
        for path in (inside / "sub-01_T1w.nii.gz", inside / "scan.nii.gz", outside / "sub-01_T1w.nii.gz")
    }
    assert list(places.values()) == [data_set / "derivatives" / "medunsup", None, None]


def test_where_names_each_folder_once_and_says_if_they_are_the_scans_own(data_set, tmp_path):
    bids = [output_names(data_set / f"sub-{n}" / "anat" / f"sub-{n}_T1w.nii.gz", None) for n in "abc"]
    beside = [output_names(tmp_path / name, None) for name in ("a.nii", "b.nii")]
    apart = [output_names(tmp_path / name / "T1.nii", None) for name in "abcd"]
    assert where(bids) == str(data_set / "derivatives" / "medunsup")
    assert where([output_names(tmp_path / "a.nii", tmp_path / "out")]) == str(tmp_path / "out")
    assert where(beside) == f"{tmp_path}, beside the scans"
    assert where(beside[:1]) == f"{tmp_path}, beside the scan"
    assert where(apart) == f"{tmp_path / 'a'}, {tmp_path / 'b'} and 2 more folders, beside the scans"


def test_it_is_logged_before_the_first_scan_is_read(tmp_path, caplog):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no image")
    told = []
    with caplog.at_level(logging.INFO, logger="medunsup.cohort.places"):
        segment_many([broken], tmp_path / "out", progress=lambda scan, text: told.append(caplog.messages[-1]))
    assert told[0] == f"Results go to {tmp_path / 'out'}."


def test_learning_a_prior_follows_the_same_rule(data_set, tmp_path):
    settings = SegmentSettings(learn_prior=True)
    bids = [data_set / f"sub-{n}" / "anat" / f"sub-{n}_T1w.nii.gz" for n in "abcd"]
    plain = [tmp_path / f"{n}.nii.gz" for n in "abcd"]
    for path in (*bids, *plain):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"scan")
    assert len(make_requests(bids, settings)) == 4
    assert len(make_requests(plain, settings, tmp_path / "out")) == 4
    with pytest.raises(UsageError, match=r"beside each scan.*`out`"):
        make_requests(plain, settings)
