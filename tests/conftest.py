"""Shared by all tests: the real scans, if they are there, and made-up ones whose truth is known."""

import os
from pathlib import Path

import pytest
from helpers.phantom import Anatomy, make_anatomy

pytest_plugins = [
    "helpers.small_scans",
    "helpers.healthy_scans",
    "helpers.judged_brains",
    "helpers.segment_results",
    "helpers.finetuned",
]

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real scans; a test that asks for it should also be marked `data`."""
    folder = Path(os.environ.get("MEDUNSUP_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real scans in {folder} (set MEDUNSUP_DATA)")
    return folder


@pytest.fixture(scope="session")
def brain() -> Anatomy:
    """A brain alone at 3 mm, 54,000 voxels."""
    return make_anatomy()


@pytest.fixture(scope="session")
def head() -> Anatomy:
    """A whole head with skull and scalp, 3 mm."""
    return make_anatomy(head=True)
