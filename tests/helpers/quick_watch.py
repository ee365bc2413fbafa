"""The command line with the quick registration of small brains, in its worker processes too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.small_scans import place_quickly

place_quickly(pytest.MonkeyPatch())

if __name__ == "__main__":
    from medunsup.cli.main import run

    run()
