"""How wide the empty margin around a head is changes nothing of what is looked at."""

import numpy as np
import pytest
from helpers.phantom import make_anatomy
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.field_of_view import seen_ranges, view_of_head

HEAD = make_anatomy(spacing_mm=(9.0, 9.0, 9.0), head=True, supersample=1)
widths = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=3)


def scan(kind: str) -> Volume:
    """A head in air that is noise or exactly 0, whole or cut by the field of view."""
    image = HEAD.image()
    if kind == "noise":
        return image
    image = image.like(np.where(HEAD.fractions.sum(axis=0) > 0, image.data, 0).astype(np.float32))
    if kind == "cut":
        return Volume(image.data[5:, :, :-6], image.affine @ np.array(moved(5, 0, 0)))
    return image


def moved(i: int, j: int, k: int) -> np.ndarray:
    step = np.eye(4)
    step[:3, 3] = (i, j, k)
    return step


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["noise", "still", "cut"]), pad=widths, value=st.sampled_from([0.0, -1000.0, 7.0])
)
def test_a_head_is_seen_alike_in_any_empty_margin(kind, pad, value):
    image = scan(kind)
    if kind != "noise":
        value = 0.0
    wide = Volume(
        np.pad(image.data, pad, constant_values=np.float32(value)),
        image.affine @ moved(*(-low for low, _ in pad)),
    )
    view, other = view_of_head(image), view_of_head(wide)
    np.testing.assert_array_equal(other.image.data, view.image.data)
    np.testing.assert_allclose(other.image.affine, view.image.affine, atol=1e-9)
    assert np.subtract(other.first, view.first).tolist() == [low for low, _ in pad]


@pytest.mark.parametrize("kind", ["noise", "still", "cut"])
def test_what_is_found_in_the_view_lies_in_its_place_in_the_scan(kind):
    image = scan(kind)
    bright = image.data > 50
    view = view_of_head(image)
    assert (view.take(bright).data == (view.image.data > 50)).all()
    assert (view.put_back(view.image.data > 50, image.shape) == bright).all()


def test_a_head_that_ends_by_itself_gets_a_margin_and_a_cut_one_none():
    still, cut = view_of_head(scan("still")), view_of_head(scan("cut"))
    assert [view_of_head(scan("noise")).first, still.first[1]] == [(0, 0, 0), cut.first[1]]
    assert cut.first[0] == 0
    assert cut.first[2] + cut.image.shape[2] == scan("cut").shape[2]
    assert still.image.data[0].max() == 0


def test_a_scan_of_one_value_is_left_as_it_is():
    flat = np.full((4, 5, 6), 3, np.float32)
    assert seen_ranges(flat) == [(0, 4), (0, 5), (0, 6)]
