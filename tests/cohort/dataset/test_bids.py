"""Subjects of a data set that are not there are named, and never missing without a word."""

import logging

from medunsup.cohort.dataset.bids import find_scans


def test_a_lost_link_and_an_empty_folder_are_named(tmp_path, caplog):
    (tmp_path / "dataset_description.json").write_text("{}")
    scan = tmp_path / "sub-1" / "anat" / "sub-1_T1w.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.touch()
    (tmp_path / "sub-2").symlink_to(tmp_path / "nowhere")
    (tmp_path / "sub-3").mkdir()
    with caplog.at_level(logging.WARNING):
        assert find_scans(tmp_path) == [scan]
    lost, empty = (record.getMessage() for record in caplog.records)
    assert "sub-2: leads to nothing" in lost
    assert "sub-3: is empty (1 of the 2 subjects' folders are)" in empty
    assert "datalad get -n" in empty
