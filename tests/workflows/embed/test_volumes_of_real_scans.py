"""Volumes of a table at the scan's own resolution are those of `segment`, of a real head."""

from pathlib import Path

import pytest
from helpers.volumes_of_tables import same_as_segment

pytestmark = [pytest.mark.data, pytest.mark.slow]


def test_volumes_of_a_real_head_are_those_that_segment_writes(data_dir, tmp_path: Path):
    scan = sorted((data_dir / "healthy_t1_2mm").glob("*_T1w.nii.gz"))[0]
    same_as_segment(scan, tmp_path)
