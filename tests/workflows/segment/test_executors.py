"""The same scans give the same files, byte for byte, wherever they are worked on; all slow."""

from pathlib import Path

import pytest
from helpers.everywhere import call, files, make_brains, ways

pytestmark = pytest.mark.slow
COMMANDS = {
    "segment": ["segment", "a.nii.gz", "b.nii.gz", "broken.nii.gz"],
    "detect": ["detect", "a.nii.gz", "b.nii.gz", "broken.nii.gz", "--model", "t1w_2mm_atlas"],
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Two scans and a file that is none."""
    folder = tmp_path_factory.mktemp("scans")
    make_brains(folder, 2)
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder


@pytest.mark.parametrize("verb", COMMANDS)
def test_all_executors_leave_the_same_files(verb, scans, tmp_path, variables):
    for way, more in ways(variables).items():
        done = call([*COMMANDS[verb], "-o", str(tmp_path / way / "out"), *more], scans, variables)
        assert done.returncode == 1, done.stderr
    first = files(tmp_path / "here" / "out")
    assert any(name.endswith("report.html") for name in first)
    for way in ways(variables):
        assert files(tmp_path / way / "out") == first, way
