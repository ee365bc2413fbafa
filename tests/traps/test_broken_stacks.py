"""No broken stack is ever read, whatever its place and direction and whichever slices are hurt."""

import numpy as np
import pytest
from helpers.dicom_maker import make_slices
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from medunsup.core.errors import MedunsupError
from medunsup.io.dicom.geometry import order_slices
from medunsup.io.dicom.slices import slices_of
from medunsup.io.notes import Notes

angle = st.floats(-3, 3)


@st.composite
def stacks(draw):
    """A regular series of 6 to 14 slices in any direction, with the unit axes of its planes and its gap."""
    x, y, z = (draw(angle) for _ in range(3))
    turn = np.array([[np.cos(x), -np.sin(x), 0], [np.sin(x), np.cos(x), 0], [0, 0, 1]])
    turn = turn @ [[1, 0, 0], [0, np.cos(y), -np.sin(y)], [0, np.sin(y), np.cos(y)]]
    turn = turn @ [[np.cos(z), 0, np.sin(z)], [0, 1, 0], [-np.sin(z), 0, np.cos(z)]]
    orientation = [round(float(value), 9) for value in (*turn[0], *turn[1])]
    gap = draw(st.floats(0.6, 7))
    slices = make_slices(n=draw(st.integers(6, 14)), gap=gap, orientation=orientation)
    return slices, turn, gap


def order(slices, folder="series"):
    planes = [plane for item in slices for plane in slices_of(folder, item)]
    for number, plane in enumerate(planes):
        object.__setattr__(plane, "path", type("Name", (), {"name": f"{number}.dcm"})())
    return order_slices(folder, planes, None, Notes())


def moved(item, shift):
    item.ImagePositionPatient = [round(float(value), 9) for value in np.add(item.ImagePositionPatient, shift)]


@settings(max_examples=60, deadline=None)
@given(stacks(), st.randoms())
def test_a_whole_stack_in_any_file_order_is_read_in_space(stack, random):
    slices, turn, gap = stack
    shuffled = random.sample(slices, len(slices))
    ordered, affine = order(shuffled)
    assert [item.header.InstanceNumber for item in ordered] == list(range(1, len(slices) + 1))
    assert np.allclose(np.diag([-1, -1, 1]) @ affine[:3, 2], turn[2] * gap, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(stacks(), st.sets(st.integers(1, 12), min_size=1, max_size=4))
def test_inner_slices_that_are_missing_are_noticed(stack, lost):
    slices, _, _ = stack
    kept = [k for k in range(len(slices)) if k not in lost or k == len(slices) - 1]
    assume(len(kept) > 2 and len(set(np.diff(kept))) > 1)
    with pytest.raises(MedunsupError, match=r"missing|unevenly"):
        order([slices[k] for k in kept])


@settings(max_examples=60, deadline=None)
@given(stacks(), st.floats(0.15, 20), angle)
def test_a_slice_moved_within_its_plane_or_off_it_is_noticed(stack, distance, direction):
    slices, turn, gap = stack
    shift = distance * gap * (np.cos(direction) * turn[0] + np.sin(direction) * turn[2])
    assume(distance * gap > 0.3)
    moved(slices[2], shift)
    with pytest.raises(MedunsupError, match=r"tilt|uneven|missing|mixed|duplicate"):
        order(slices)


@settings(max_examples=40, deadline=None)
@given(stacks(), st.floats(1.5, 30))
def test_tilt_from_a_degree_and_a_half_is_noticed(stack, degrees):
    slices, turn, gap = stack
    assume(np.tan(np.deg2rad(degrees)) * gap * (len(slices) - 1) > 0.15 + 0.02 * gap)
    for k, item in enumerate(slices):
        moved(item, k * gap * np.tan(np.deg2rad(degrees)) * turn[1])
    with pytest.raises(MedunsupError, match="gantry tilt"):
        order(slices)
