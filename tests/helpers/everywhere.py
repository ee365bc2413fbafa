"""One command here, in two processes, on Dask's workers and as jobs of Slurm: what each of them leaves."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from helpers.phantom import make_anatomy, save

SLURM = ["--executor", "slurm", "--time", "5", "--mem", "1G"]
DASK = ["--executor", "dask", "-j", "2"]


def make_brains(folder: Path, n: int) -> list[Path]:
    """Write small brains, stripped, a.nii.gz and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    small = make_anatomy(spacing_mm=(5, 5, 5), supersample=3)
    images = [small.image("T1w", seed=seed) for seed in range(n)]
    stripped = [image.like(np.where(small.mask.data, image.data, 0)) for image in images]
    return [save(image, folder / f"{chr(97 + at)}.nii.gz") for at, image in enumerate(stripped)]


def ways(slurm: Mapping[str, str]) -> dict[str, list[str]]:
    """Name the options of each way; Slurm's only where its variables are given."""
    found = {"here": [], "processes": ["-j", "2"], "dask": DASK}
    return found | ({"slurm": SLURM} if slurm else {})


def call(
    words: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Give a command in a folder; it must not break."""
    done = subprocess.run(
        [sys.executable, "-m", "medunsup", *words],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def files(folder: Path) -> dict[str, bytes]:
    """Read all that a run left, but what it says of itself while it is at work."""
    found = (path for path in folder.rglob("*") if path.is_file())
    inside = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
    return {name: content for name, content in inside.items() if ".medunsup-run/" not in name}
