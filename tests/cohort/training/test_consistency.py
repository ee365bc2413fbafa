"""Scans that do not belong together are named before anything is learned from them."""

from pathlib import Path

import pytest

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare_many import Traits
from medunsup.cohort.training.consistency import check_alike
from medunsup.core.errors import InputError

CASES = [Case(Path(f"sub-{n}_T1w.nii"), f"sub-{n}") for n in range(5)]


def traits(**odd):
    """Five alike scans but for the last."""
    usual = [Traits("T1w", 1.0, f"content {n}") for n in range(5)]
    last = {"contrast": "T1w", "coarsest_mm": 1.0, "content": "content 4"} | odd
    return [*usual[:4], Traits(**last)]


def test_what_scans_share_is_their_contrast_and_their_coarsest_voxel():
    common = check_alike(CASES, traits(coarsest_mm=1.9))
    assert (common.contrast, common.coarsest_mm, len(common.contents)) == ("T1w", 1.9, 5)


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"contrast": "T2w"}, "Most scans are T1w, but not sub-4_T1w"),
        ({"coarsest_mm": 2.1}, "up to 1.0 mm, but sub-4_T1w.nii of 2.1 mm"),
        ({"coarsest_mm": 0.4}, "up to 1.0 mm, but sub-4_T1w.nii of 0.4 mm"),
        ({"content": "content 0"}, "sub-0_T1w.nii and sub-4_T1w.nii: hold the same scan"),
    ],
)
def test_the_one_that_is_not_alike_is_named(odd, words):
    with pytest.raises(InputError, match=words):
        check_alike(CASES, traits(**odd))
