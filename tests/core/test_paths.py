"""Paths as users give them."""

from pathlib import Path

import numpy as np
import pytest

import medunsup
from medunsup.core.errors import UsageError
from medunsup.core.paths import user_path
from medunsup.workflows.segment.cohort import segment_many


def test_a_leading_tilde_is_the_home_folder():
    assert user_path("~/scan.nii") == Path.home() / "scan.nii"


def test_a_tilde_of_no_user_is_part_of_the_name():
    assert user_path("~nobody-of-that-name.nii") == Path("~nobody-of-that-name.nii")


def test_an_array_in_place_of_a_path_is_told_what_is_wanted():
    for call in (medunsup.segment, lambda scan: segment_many([scan])):
        with pytest.raises(UsageError, match="not a ndarray"):
            call(np.zeros((4, 4, 4)))
