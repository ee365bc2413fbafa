"""The same scans give the same files, byte for byte, wherever they are worked on; all slow."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import one_machine_slurm
from helpers.phantom import make_anatomy, save

pytestmark = pytest.mark.slow
COMMANDS = {
    "segment": ["segment", "a.nii.gz", "b.nii.gz", "broken.nii.gz"],
    "detect": ["detect", "a.nii.gz", "b.nii.gz", "broken.nii.gz", "--model", "t1w_2mm_atlas"],
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Two scans and a file that is none."""
    folder = tmp_path_factory.mktemp("scans")
    small = make_anatomy(spacing_mm=(5, 5, 5), supersample=3)
    brain = [small.image("T1w", seed=n) for n in range(2)]
    brain = [each.like(np.where(small.mask.data, each.data, 0)) for each in brain]
    for n, name in enumerate("ab"):
        save(brain[n], folder / f"{name}.nii.gz")
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    if one_machine_slurm.why_not():
        yield {}
        return
    with one_machine_slurm.running(tmp_path_factory.mktemp("slurm")) as needed:
        yield needed


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    inside = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
    return {name: content for name, content in inside.items() if not name.startswith(".medunsup-run/")}


def run(verb: str, scans: Path, out: Path, variables: dict[str, str], *more: str) -> int:
    words = [*COMMANDS[verb], "-o", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "medunsup", *words, *more],
        cwd=scans,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


@pytest.mark.parametrize("verb", COMMANDS)
def test_all_executors_leave_the_same_files(verb, scans, tmp_path, variables):
    ways = {"here": [], "processes": ["-j", "2"], "dask": ["--executor", "dask", "-j", "2"]}
    if variables:
        ways["slurm"] = ["--executor", "slurm", "--time", "5", "--mem", "1G"]
    codes = {way: run(verb, scans, tmp_path / way / "out", variables, *more) for way, more in ways.items()}
    assert set(codes.values()) == {1}
    first = files(tmp_path / "here" / "out")
    assert any(name.endswith("report.html") for name in first)
    for way in ways:
        assert files(tmp_path / way / "out") == first, way
