"""The hidden folder in which runs say what they are at, below where their results go."""

from pathlib import Path

NAME = ".medunsup-run"


def run_folder(root: Path) -> Path:
    """Return the hidden folder of the runs whose results go to `root`."""
    return root / NAME
