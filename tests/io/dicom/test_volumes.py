"""Images that share their places are parted by what their headers say, never by the names of their files."""

import random

import numpy as np
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from medunsup.core.errors import GeometryError, InputError, MedunsupError
from medunsup.io.dicom.geometry import order_slices
from medunsup.io.dicom.slices import slices_of
from medunsup.io.load import load
from medunsup.io.notes import Notes

KIND = ["DERIVED", "PRIMARY", "M", "DIS2D"]
NUMBERS = {"InstanceNumber": 1}  # alike in all, so they part nothing
PARTED_BY = {  # tags of the first image and of the second
    "EchoTime": ({"EchoTime": 5.19}, {"EchoTime": 7.65}),
    "EchoNumbers": ({"EchoNumbers": 1}, {"EchoNumbers": 2}),
    "InversionTime": ({"InversionTime": 700}, {"InversionTime": 2500}),
    "ImageType": ({"ImageType": [*KIND, "MEAN"]}, {"ImageType": [*KIND, "RMS"]}),
    "FlipAngle": ({"FlipAngle": 4}, {"FlipAngle": 18}),
    "TemporalPositionIdentifier": ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}),
    "AcquisitionNumber": ({"AcquisitionNumber": 9}, {"AcquisitionNumber": 10}),
    "AcquisitionTime": ({"AcquisitionTime": "101500"}, {"AcquisitionTime": "102030.5"}),
    "TriggerTime": ({"TriggerTime": 0}, {"TriggerTime": 450}),
    "ContrastBolusAgent": ({}, {"ContrastBolusAgent": "Gadovist"}),
    "ReceiveCoilName": ({"ReceiveCoilName": "H1"}, {"ReceiveCoilName": "H2"}),
    "DiffusionBValue": ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}),
}


def pair(first, second, n=6, **tags):
    """Two images of one series at the same places, with tags of their own."""
    uid = generate_uid()
    return [
        make_slices(make_voxels((5, 4, n), seed), uid=uid, **{**NUMBERS, **tags, **own})
        for seed, own in enumerate((first, second))
    ]


def shuffled(folder, slices, seed=0):
    return write_slices(random.Random(seed).sample(slices, len(slices)), folder)


@pytest.mark.parametrize("name", PARTED_BY)
def test_two_images_are_parted_by_whatever_tells_them_apart(name, tmp_path):
    one, two = pair(*PARTED_BY[name])
    folder = shuffled(tmp_path / "series", one + two)
    for number in range(2):
        volume = load(folder, volume=number)
        assert np.array_equal(volume.in_source_space()[0], make_voxels((5, 4, 6), number))
        assert volume.source.notes["volumes_differ_in"] == [name]
    with pytest.raises(InputError, match=rf"4D, with 2 volumes.*differ in {name}.*volume=0 to 1") as caught:
        load(folder)
    assert "Gadovist" not in str(caught.value), "free text stays where it is"


@pytest.mark.parametrize(
    "number_of", [lambda v, k: 6 * v + k, lambda v, k: 2 * k + v], ids=["volumes", "places"]
)
def test_instance_numbers_part_where_they_count_through_volumes_or_places(number_of, tmp_path):
    images = pair({}, {})
    for v, image in enumerate(images):
        for k, item in enumerate(image):
            item.InstanceNumber = number_of(v, k)
    folder = shuffled(tmp_path / "series", images[0] + images[1])
    for number in range(2):
        assert np.array_equal(
            load(folder, volume=number).in_source_space()[0], make_voxels((5, 4, 6), number)
        )


@pytest.mark.parametrize(
    "numbers", [[1] * 12, [1, 7, 3, 9, 8, 12, 4, 2, 5, 6, 11, 10]], ids=["alike", "crossed"]
)
def test_images_that_nothing_tells_apart_are_refused(numbers, tmp_path):
    slices = [item for image in pair({}, {}) for item in image]
    for item, number in zip(slices, numbers, strict=True):
        item.InstanceNumber = number
    folder = shuffled(tmp_path / "series", slices)
    for volume in (None, 0, 1):
        with pytest.raises(InputError, match=r"several images at 6 of its 6 places.*series of its own"):
            load(folder, volume=volume)


def test_kinds_of_image_that_change_sides_between_numbered_volumes_are_refused(tmp_path):
    slices = [
        item for image in pair({"ImageType": [*KIND, "A"]}, {"ImageType": [*KIND, "B"]}) for item in image
    ]
    slices[0].ImageType = [*KIND, "A", "NORM"]  # so the kinds no longer part the images everywhere
    for item, number in zip(slices, [1, 8, 3, 10, 5, 12, 7, 2, 9, 4, 11, 6], strict=True):
        item.InstanceNumber = number
    with pytest.raises(InputError, match="nothing in their headers"):
        load(write_slices(slices, tmp_path / "series"), volume=0)


@st.composite
def repeated_series(draw):
    """Up to 3 echoes and 2 kinds of image at 4 to 7 places, numbered in one of three ways."""
    echoes, kinds, n = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(4, 7))
    numbered = draw(st.sampled_from(["through", "each anew", "all alike"]))
    uid, slices = generate_uid(), []
    for v in range(echoes * kinds):
        tags = {"EchoTime": 4.0 + v // kinds, "ImageType": [*KIND, f"K{v % kinds}"], "uid": uid}
        image = make_slices(make_voxels((5, 4, n), v), **tags)
        for k, item in enumerate(image):
            item.InstanceNumber = {"through": v * n + k, "each anew": k, "all alike": 1}[numbered]
        slices.append(image)
    return slices


@settings(max_examples=12, deadline=None)
@given(repeated_series(), st.randoms())
def test_no_order_of_files_changes_the_volume(images, rng):
    slices = [item for image in images for item in image]
    for number, image in enumerate(images):
        mixed = rng.sample(slices, len(slices))
        planes = [plane for item in mixed for plane in slices_of("series", item)]
        ordered, _ = order_slices("series", planes, number if len(images) > 1 else None, Notes())
        assert [plane.header.SOPInstanceUID for plane in ordered] == [item.SOPInstanceUID for item in image]


def test_frames_that_dimension_indices_alone_tell_apart_are_parted(tmp_path):
    voxels = make_voxels((5, 4, 12))
    item = make_enhanced(voxels, repeats=2)
    for number, frame in enumerate(item.PerFrameFunctionalGroupsSequence):
        content = frame.FrameContentSequence[0]
        content.TemporalPositionIndex = 1
        content.DimensionIndexValues = [1, 6 - number % 6, number // 6 + 1]
    order = random.Random(3).sample(range(12), 12)
    size = item.Rows * item.Columns * 2
    frames = list(item.PerFrameFunctionalGroupsSequence)
    item.PerFrameFunctionalGroupsSequence = [frames[n] for n in order]
    item.PixelData = b"".join(item.PixelData[n * size : n * size + size] for n in order)
    path = write_dicom(item, tmp_path / "enhanced.dcm")
    for number in range(2):
        data, _ = load(path, volume=number).in_source_space()
        assert np.array_equal(data, voxels[:, :, 6 * number : 6 * number + 6] * 2.0 - 1)


def test_frames_that_nothing_tells_apart_are_refused(tmp_path):
    item = make_enhanced(make_voxels((5, 4, 12)), repeats=2)
    for frame in item.PerFrameFunctionalGroupsSequence:
        del frame.FrameContentSequence
    with pytest.raises(InputError, match="nothing in their headers"):
        load(write_dicom(item, tmp_path / "enhanced.dcm"), volume=0)


def test_two_whole_files_of_one_series_are_two_volumes(tmp_path):
    for number in range(2):
        item = make_enhanced(make_voxels(seed=number), SeriesInstanceUID="1.2.3", InstanceNumber=1)
        item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        write_dicom(item, tmp_path / f"{9 - number}.dcm")
    for number in range(2):
        data, _ = load(tmp_path, volume=number).in_source_space()
        assert np.array_equal(data, make_voxels(seed=number) * 2.0 - 1)


@settings(max_examples=12, deadline=None)
@given(st.floats(1e-7, 0.02), st.randoms(use_true_random=False))
def test_positions_that_differ_in_their_last_digits_are_one_place(size, rng):
    images = pair({"EchoTime": 3}, {"EchoTime": 5}, origin=(-87.125, -101.225, -63.455))
    slices = [item for image in images for item in image]
    for item in slices:
        item.ImagePositionPatient = [
            round(float(value) + rng.uniform(-size, size), 9) for value in item.ImagePositionPatient
        ]
    planes = [plane for item in slices for plane in slices_of("series", item)]
    for number, image in enumerate(images):
        ordered, _ = order_slices("series", planes, number, Notes())
        assert [plane.header.SOPInstanceUID for plane in ordered] == [item.SOPInstanceUID for item in image]


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(0, 11), min_size=1, max_size=4))
def test_a_slice_lost_of_one_image_is_never_taken_from_the_other(lost):
    images = pair({"EchoTime": 3}, {"EchoTime": 5})
    whole = [item for image in images for item in image]
    kept = [item for n, item in enumerate(whole) if n not in lost]
    planes = [plane for item in kept for plane in slices_of("series", item)]
    for plane in planes:
        object.__setattr__(plane, "path", type("Name", (), {"name": "x.dcm"})())
    for number, image in enumerate(images):
        is_whole = not lost & set(range(6 * number, 6 * number + 6))
        try:
            ordered, _ = order_slices("series", planes, number, Notes())
        except MedunsupError:
            assert not is_whole
        else:
            assert [p.header.SOPInstanceUID for p in ordered] == [
                item.SOPInstanceUID for item in image if item in kept
            ]


def test_an_image_that_lacks_its_last_slice_is_refused_and_the_whole_one_read(tmp_path):
    one, two = pair({"EchoTime": 3}, {"EchoTime": 5})
    folder = write_slices(one + two[:-1], tmp_path / "series")
    assert np.array_equal(load(folder, volume=0).in_source_space()[0], make_voxels())
    with pytest.raises(GeometryError, match="volume 1 holds 5 slices, others hold 6"):
        load(folder, volume=1)


@pytest.mark.parametrize(("n_apart", "where"), [(0, "one place"), (1, "2 places"), (4, "2 places")])
def test_slices_that_all_say_one_place_are_no_volumes(n_apart, where, tmp_path):
    slices = make_slices(n=8)
    for k, item in enumerate(slices):
        item.ImagePositionPatient = [-80, -90, -60 if k >= n_apart else -62]
    for volume in (None, 0):
        with pytest.raises(GeometryError, match=rf"all 8 slices say they lie at {where}"):
            load(write_slices(slices, tmp_path / "series"), volume=volume)


def test_what_is_recorded_is_the_picked_volumes(tmp_path):
    tags = {"SeriesDescription": "Axial PD/T2 FSE", "RepetitionTime": 3000}
    one, two = pair({"EchoTime": 14}, {"EchoTime": 92}, **tags)
    folder = shuffled(tmp_path / "series", one + two)
    notes = [load(folder, volume=number).source.notes for number in range(2)]
    assert [(each["echo_time_ms"], each["contrast"]) for each in notes] == [(14, "PD"), (92, "T2w")]


def test_what_is_recorded_of_an_enhanced_file_is_the_picked_frames(tmp_path):
    item = make_enhanced(
        make_voxels((5, 4, 12)), repeats=2, RepetitionTime=3000, SeriesDescription="Double TSE"
    )
    for number, frame in enumerate(item.PerFrameFunctionalGroupsSequence):
        echo = Dataset()
        echo.EffectiveEchoTime = (14.0, 92.0)[number // 6]
        frame.MREchoSequence = [echo]
    path = write_dicom(item, tmp_path / "enhanced.dcm")
    notes = [load(path, volume=number).source.notes for number in range(2)]
    assert [(each["echo_time_ms"], each["contrast"]) for each in notes] == [(14, "PD"), (92, "T2w")]
