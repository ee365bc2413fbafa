"""Arrays kept in a file come back as they were, or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.io.files.npz import read_npz, write_npz

ARRAYS = {"grey": np.arange(600, dtype=np.uint8).reshape(20, 30), "mm": np.array([1.5, -2.25, 1e-17])}


def test_arrays_come_back_with_type_and_shape_and_the_bytes_are_always_the_same(tmp_path):
    for name in ("first.npz", "second.npz"):
        write_npz(tmp_path / name, ARRAYS)
    kept = read_npz(tmp_path / "first.npz")
    assert kept.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert kept[name].dtype == array.dtype
        np.testing.assert_array_equal(kept[name], array)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


@given(st.data())
def test_a_damaged_file_is_none(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    write_npz(path, ARRAYS)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    assert read_npz(path) is None


@given(st.data())
def test_a_flipped_bit_never_ends_a_run(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    write_npz(path, ARRAYS)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    kept = read_npz(path)
    assert kept is None or all(np.array_equal(kept[name], ARRAYS[name]) for name in kept)


@pytest.mark.parametrize(("byte", "bit"), [(8, 0), (10, 1)], ids=["encrypted", "unknown packing"])
def test_an_array_that_cannot_be_unpacked_is_none(tmp_path, byte, bit):
    path = tmp_path / "flipped.npz"
    write_npz(path, ARRAYS)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + byte] ^= 1 << bit
    path.write_bytes(content)
    assert read_npz(path) is None


def test_a_file_that_is_not_there_or_no_arrays_is_none(tmp_path):
    (tmp_path / "text.npz").write_text("text")
    np.save(tmp_path / "single", np.zeros(3))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    assert [read_npz(tmp_path / f"{name}.npz") for name in ("none", "text", "single")] == [None] * 3
