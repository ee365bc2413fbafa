"""Images of a .npz file come out as they went in, and what cannot be images is refused with a remedy."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from medunsup.cohort.dataset.images import as_images, read_images
from medunsup.core.errors import InputError, MissingError

GREY = np.arange(4 * 6 * 5, dtype=np.uint8).reshape(4, 6, 5)
UNIT = GREY / np.float32(255)


def written(path: Path, **held: np.ndarray) -> Path:
    np.savez(path / "images.npz", **held)
    return path / "images.npz"


@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=6)))
def test_a_grey_value_of_255_becomes_1_and_each_pixel_stays_at_its_place(images):
    values = as_images(images, "here")
    assert values.dtype == np.float32
    assert values.shape == (len(images), 1, *images.shape[1:], 1)
    assert np.array_equal(np.rint(255 * values[:, 0, ..., 0]), images)


@given(st.integers(1, 4))
def test_channels_come_second(channels):
    images = np.random.default_rng(0).integers(0, 256, (3, 5, 7, channels), np.uint8)
    values = as_images(images, "here")
    assert values.shape == (3, channels, 5, 7, 1)
    for n in range(channels):
        assert np.array_equal(values[:, n, ..., 0], images[..., n] / np.float32(255))


def test_volumes_keep_their_axes():
    volumes = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 6), np.uint8)
    assert np.array_equal(as_images(volumes, "here")[:, 0], volumes / np.float32(255))


def test_floats_between_0_and_1_are_taken_as_they_are():
    assert np.array_equal(as_images(UNIT.astype(np.float64), "here")[:, 0, ..., 0], UNIT)


def test_the_splits_are_those_of_the_file_and_test_images_are_not_read(tmp_path):
    found = read_images(written(tmp_path, train_images=GREY, val_images=GREY[:2], test_images=np.zeros(3)))
    assert {split: len(images.values) for split, images in found.items()} == {"train": 4, "validation": 2}
    assert found["validation"].names == ["val_images[0]", "val_images[1]"]
    assert found["train"].contents[:2] == found["validation"].contents
    assert len(set(found["train"].contents)) == 4
    assert list(read_images(written(tmp_path, train_images=GREY, train_labels=np.zeros(4)))) == ["train"]


NAN = np.where(np.arange(4)[:, None, None] == 2, np.nan, UNIT)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"images": GREY}, "holds no train_images, only images"),
        ({}, "holds no train_images, nothing"),
        ({"train_images": GREY[0]}, r"shape \(6, 5\)"),
        ({"train_images": GREY[:0]}, r"shape \(0, 6, 5\)"),
        ({"train_images": np.zeros((2, 8, 8, 8, 1), np.uint8)}, r"volumes \(N, I, J, K\)"),
        ({"train_images": GREY, "val_images": np.stack([GREY] * 7, -1)}, r"val_images \(6, 5, 7\) with 1"),
        ({"train_images": GREY.astype(np.int16)}, "is int16. Give uint8"),
        ({"train_images": 255 * UNIT}, "values from 0 to 119. Give uint8, or scale"),
        ({"train_images": NAN}, r"train_images\[2\] holds values that are no finite numbers"),
        ({"train_images": GREY, "val_images": GREY[:, :4]}, r"train_images \(6, 5\).*val_images \(4, 5\)"),
        ({"train_images": GREY, "val_images": np.stack([GREY] * 3, -1)}, "val_images .* with 3 channels"),
    ],
)
def test_what_cannot_be_images_is_refused(tmp_path, held, said):
    with pytest.raises(InputError, match=said):
        read_images(written(tmp_path, **held))


def test_files_that_are_missing_or_no_npz_are_refused(tmp_path):
    with pytest.raises(MissingError, match="there is no such file"):
        read_images(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("images")
    with pytest.raises(InputError, match=r"cannot be read as a \.npz"):
        read_images(tmp_path / "text.npz")
    np.savez(tmp_path / "objects.npz", train_images=np.array([GREY, None], dtype=object))
    with pytest.raises(InputError, match=r"cannot be read as a \.npz"):
        read_images(tmp_path / "objects.npz")
