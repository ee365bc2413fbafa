"""The halves of a pair belong together only where both are packed and called alike, and messages say so."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from medunsup.core.errors import InputError
from medunsup.io.load import load


@pytest.mark.parametrize(
    ("given", "beside", "expected"),
    [
        ("s.hdr", "s.img.gz", "s.img"),
        ("s.img.gz", "s.hdr", "s.hdr.gz"),
        ("s.img", "s.HDR", "s.hdr"),
        ("s.HDR", "s.img", "s.IMG"),
    ],
)
def test_a_half_packed_or_called_otherwise_is_named(given, beside, expected, tmp_path):
    image = nib.Nifti1Pair(np.random.default_rng(0).random((4, 5, 6), dtype="f4"), np.eye(4))
    nib.save(image, tmp_path / "pair.img")
    for name in (given, beside):
        data = (tmp_path / f"pair{name[1:5].lower()}").read_bytes()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(InputError, match=rf"other half is missing.* here {expected}\. There is {beside}:"):
        load(tmp_path / given)
