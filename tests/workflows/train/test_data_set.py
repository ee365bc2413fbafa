"""What ties a scan to a data set: names in its path, in descriptions above it, its grid; and nothing less."""

import json
from pathlib import Path

import numpy as np
import pytest

from medunsup.core.geometry import Grid
from medunsup.workflows.train.data_set import DataSet

CARD = """---
name: OpenNeuro ds012345
known_as: [ds012345, A study of sleep]
grids: [288 x 240 x 181 voxels of 0.868 x 0.868 x 1 mm]
---

# A study
"""
ASLEEP = DataSet.of_card(CARD)


def grid(shape: tuple[int, int, int], *spacing_mm: float) -> Grid:
    tilt = 0.1
    turned = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag(spacing_mm)
    return Grid(shape, affine)


def test_a_card_without_the_fields_ties_nothing(tmp_path):
    scan, nine = tmp_path / "ds012345" / "sub-1_T1w.nii", grid((9, 9, 9), 1, 1, 1)
    for card in ("", "# No fields\n", "---\nname: x\n---\n"):
        assert not DataSet.of_card(card).evidence(scan, nine)


@pytest.mark.parametrize(
    ("path", "is_tied"),
    [
        ("ds012345/sub-1_T1w.nii.gz", True),
        ("openneuro.DS012345-download/anat/sub-1_T1w.nii.gz", True),
        ("raw/ds012345_sub-1_T1w.nii.gz", True),
        ("raw/sub-1_T1w.nii.gz", False),
        ("ds0123456/sub-1_T1w.nii.gz", False),
        ("xds012345/sub-1_T1w.nii.gz", False),
    ],
)
def test_a_path_ties_by_the_whole_name_alone(tmp_path, path, is_tied):
    assert bool(ASLEEP.evidence(tmp_path / path)) == is_tied


def test_a_link_is_followed_to_where_the_scan_lies(tmp_path):
    scan = tmp_path / "ds012345" / "sub-1_T1w.nii"
    scan.parent.mkdir()
    scan.touch()
    link = tmp_path / "study" / scan.name
    link.parent.mkdir()
    link.symlink_to(scan)
    assert "path names ds012345" in ASLEEP.evidence(link)


@pytest.mark.parametrize(
    ("about", "is_tied"),
    [
        ({"Name": "Sleep", "DatasetDOI": "doi:10.18112/openneuro.ds012345.v9.0.0"}, True),
        ({"Name": "a study of SLEEP"}, True),
        ({"Name": "prep", "SourceDatasets": [{"URL": "https://openneuro.org/datasets/ds012345"}]}, True),
        ({"Name": "prep", "DatasetLinks": {"raw": "https://x.org/ds012345"}}, True),
        ({"Name": "Another", "ReferencesAndLinks": ["https://x.org/ds012345"]}, False),
        ({"Name": "Another", "DatasetDOI": "10.18112/openneuro.ds012346"}, False),
        (["no", "object"], False),
    ],
)
def test_a_description_ties_by_what_the_set_is_or_is_made_from(tmp_path: Path, about, is_tied):
    (tmp_path / "dataset_description.json").write_text(json.dumps(about))
    assert bool(ASLEEP.evidence(tmp_path / "sub-1" / "anat" / "sub-1_T1w.nii")) == is_tied


def test_a_grid_ties_however_the_scan_is_turned_and_not_by_shape_or_spacing_alone(tmp_path):
    scan = tmp_path / "sub-1_T1w.nii"
    for same in (
        grid((288, 240, 181), 0.8680556, 0.8680556, 1.0),
        grid((181, 288, 240), 1.0, 0.8680556, 0.8680556),
    ):
        assert "number and size of voxels" in ASLEEP.evidence(scan, same)
    for other in (
        grid((288, 240, 181), 0.868, 0.868, 1.2),
        grid((288, 240, 180), 0.868, 0.868, 1.0),
        grid((181, 288, 240), 0.868, 1.0, 0.868),
    ):
        assert not ASLEEP.evidence(scan, other)
