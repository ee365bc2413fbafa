"""What is asked of one scan: how it is read and what `segment` is to do with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from medunsup.cohort.settings import ReadSettings
from medunsup.workflows.segment.request import make_request
from medunsup.workflows.segment.settings import ORDER, SegmentSettings


def test_a_scan_is_read_as_its_settings_say():
    request = make_request(Path("scan.nii.gz"), SegmentSettings(series=3, brain="atlas"))
    assert request.scan.reading == ReadSettings(series="3", brain="atlas")
    with pytest.raises(ValueError, match="otherwise"):
        replace(request, settings=SegmentSettings())
    with pytest.raises(ValueError, match="otherwise"):
        replace(request, scan=replace(request.scan, reading=ReadSettings()))


def test_every_choice_has_its_place_in_the_sidecar():
    assert tuple(SegmentSettings().as_record()) == ORDER
    assert set(ORDER) == set(SegmentSettings.model_fields)


def test_the_command_line_names_only_what_was_chosen():
    assert make_request(Path("x/scan.nii.gz")).command() == "medunsup segment scan.nii.gz"
    chosen = SegmentSettings(seed=2, method="kmeans", volume=1, parameters={"max_voxels": 9})
    request = make_request(
        Path("scan.nii"), chosen, mask=Path("a/m.nii"), contrasts={"T2w": Path("b/t2.nii")}
    )
    assert request.command() == (
        "medunsup segment scan.nii --mask m.nii --with T2w=t2.nii --method kmeans --seed 2 --volume 1 "
        "--set max_voxels=9"
    )
