"""Slices that each have a SeriesInstanceUID of their own are seen for the one series they are."""

import numpy as np
import pytest
from helpers.dicom_maker import make_slices, make_voxels, write_slices
from pydicom.uid import generate_uid

from medunsup.core.errors import GeometryError, InputError
from medunsup.io.load import load


def split(slices):
    for item in slices:
        item.SeriesInstanceUID = generate_uid()
    return slices


@pytest.mark.parametrize("by", ["folder", "number", "uid"])
def test_slices_that_are_series_of_their_own_are_read_as_one_with_a_word(by, tmp_path):
    slices = split(make_slices())
    folder = write_slices(slices, tmp_path / "s")
    asked = {"folder": None, "number": 3, "uid": str(slices[2].SeriesInstanceUID)}[by]
    volume = load(folder, series=asked)
    assert np.array_equal(volume.in_source_space()[0], make_voxels())
    assert "6 slices have a SeriesInstanceUID each" in volume.source.notes["warnings"][0]


def test_beside_another_series_they_are_one_line(tmp_path):
    write_slices(split(make_slices()), tmp_path / "1")
    write_slices(make_slices(SeriesNumber=7), tmp_path / "2")
    with pytest.raises(InputError, match="holds 2 series and 2 3D T1w scans") as caught:
        load(tmp_path)
    assert len(str(caught.value).splitlines()) == 3


def test_two_echoes_of_such_slices_are_two_volumes(tmp_path):
    one, two = (split(make_slices(make_voxels(seed=n), EchoTime=5 + 20 * n)) for n in range(2))
    folder = write_slices(one + two, tmp_path / "s")
    for number in range(2):
        assert np.array_equal(load(folder, volume=number).in_source_space()[0], make_voxels(seed=number))


@pytest.mark.parametrize("name", ["StudyInstanceUID", "FrameOfReferenceUID"])
def test_where_more_than_the_series_differs_they_are_refused_with_that_cause(name, tmp_path):
    slices = split(make_slices())
    for item in slices:
        setattr(item, name, generate_uid())
    with pytest.raises(InputError, match=rf"6 slices have a SeriesInstanceUID each.*differ in {name}"):
        load(write_slices(slices, tmp_path / "s"))


def test_a_slice_lost_among_them_is_missed(tmp_path):
    slices = split(make_slices(n=8))
    with pytest.raises(
        GeometryError, match=r"slice 4 of 8 is missing.*7 slices have a SeriesInstanceUID each"
    ):
        load(write_slices(slices[:3] + slices[4:], tmp_path / "s"))


@pytest.mark.parametrize("name", ["SeriesNumber", "SeriesDescription"])
def test_slices_that_are_series_by_number_or_name_too_are_refused_with_that_cause(name, tmp_path):
    for number, item in enumerate(split(make_slices())):
        setattr(item, name, str(number + 1))
        write_slices([item], tmp_path / str(number))
    with pytest.raises(InputError, match=f"6 slices have a SeriesInstanceUID each.*differ in {name}"):
        load(tmp_path)


def test_two_whole_stacks_of_several_numbers_stay_apart(tmp_path):
    for number in (3, 4):
        slices = split(make_slices(make_voxels(seed=number), SeriesNumber=number))
        write_slices(slices, tmp_path / str(number))
    volume = load(tmp_path, series=4)
    assert np.array_equal(volume.in_source_space()[0], make_voxels(seed=4))
