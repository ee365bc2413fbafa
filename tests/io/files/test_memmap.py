"""Arrays written one behind the other are there whole, or not at all."""

import numpy as np
import pytest

from medunsup.core.errors import OutputError
from medunsup.io.files.memmap import stacked


@pytest.mark.parametrize("dtype", [np.float32, np.bool_])
def test_what_was_added_is_mapped_in_its_order(tmp_path, dtype):
    arrays = [np.random.default_rng(n).random((3, 4, 2)).round() for n in range(5)]
    with stacked(tmp_path / "new" / "all.npy", (5, 3, 4, 2), dtype) as add:
        for array in arrays:
            add(array.transpose().copy().transpose())  # however it lies in memory
    mapped = np.load(tmp_path / "new" / "all.npy", mmap_mode="r")
    assert mapped.dtype == dtype
    np.testing.assert_array_equal(mapped, np.stack(arrays))


def test_no_room_is_claimed_before_it_is_written(tmp_path):
    """A file that is longer than what was written ends the process where the disk is full."""
    with stacked(tmp_path / "all.npy", (1000, 100, 100), np.float32) as add:
        (file,) = tmp_path.iterdir()
        assert file.stat().st_size < 1000
        for _ in range(1000):
            add(np.zeros((100, 100)))


def test_a_full_disk_is_said_and_leaves_no_file(tmp_path, monkeypatch):
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="disk is full"), stacked(tmp_path / "a.npy", (1, 2), float) as add:
        add(np.zeros(2))
    assert not list(tmp_path.iterdir())


def test_an_array_of_another_shape_is_refused(tmp_path):
    with stacked(tmp_path / "a.npy", (1, 2), float) as add:
        with pytest.raises(ValueError, match=r"\(3,\) among those of \(2,\)"):
            add(np.zeros(3))
        add(np.ones(2))
    assert np.load(tmp_path / "a.npy").tolist() == [[1, 1]]
