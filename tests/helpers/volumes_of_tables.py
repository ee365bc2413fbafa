"""Volumes of a table of features beside those that `segment` writes of the same scan."""

import shutil
from pathlib import Path

import pytest

import medunsup
from medunsup.workflows.segment.sidecar import SegmentSidecar


def same_as_segment(scan: Path, to: Path, **choices: object) -> None:
    """Compare the volumes of a table with those in the sidecar of `segment`."""
    to_scan = {"volumes.at": "scan"}
    (to / "one").mkdir()
    shutil.copy(scan, to / "one")
    table = medunsup.embed(to / "one", to / "f.csv", features=["volumes"], parameters=to_scan, **choices)
    medunsup.segment(scan, out=to / "segmented")
    sidecar = next(path for path in (to / "segmented").rglob("*.json") if "_dseg" in path.name)
    written = SegmentSidecar.read(sidecar).volumes_mm3
    assert list(written) == ["GM", "WM", "CSF"]
    named = dict(zip(table.names, table.values[0], strict=True))
    for tissue, mm3 in written.items():
        assert named[f"volumes/{tissue}_ml"] == pytest.approx(mm3 / 1000, abs=1e-3)
        assert named[f"volumes/{tissue}_fraction"] == pytest.approx(mm3 / sum(written.values()), abs=1e-5)
    assert named["volumes/brain_ml"] == pytest.approx(sum(written.values()) / 1000, abs=1e-3)
