"""A DICOM series becomes the volume its scanner took, however its files are ordered or tilted."""

import random
from itertools import permutations, product

import numpy as np
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices
from pydicom.dataset import Dataset

from medunsup.io.load import load

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, 0.8)


def expected_affine(orientation, origin, spacing, gap):
    """DICOM part 3, C.7.6.2.1.1, with columns as the first index."""
    across, down = np.array(orientation[:3]), np.array(orientation[3:])
    affine = np.eye(4)
    affine[:3, 0] = across * spacing[1]
    affine[:3, 1] = down * spacing[0]
    affine[:3, 2] = np.cross(across, down) * gap
    affine[:3, 3] = origin
    return LPS_TO_RAS @ affine


PLANES = [
    tuple(first) + tuple(second) for first, second in permutations([np.array(row) for row in np.eye(3)], 2)
]


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("signs", list(product((1, -1), repeat=2)))
def test_every_plane_and_direction_is_placed_by_the_standards_formula(plane, signs, tmp_path):
    orientation = tuple(np.array(plane) * np.repeat(signs, 3))
    volume = load(write_slices(make_slices(orientation=orientation), tmp_path / "series"))
    expected = expected_affine(orientation, (-10, 20, 5), (0.9, 1.1), 2)
    assert np.abs(volume.source.grid.affine - expected).max() < 1e-6
    assert np.array_equal(volume.in_source_space()[0], make_voxels())
    assert np.diag(volume.affine)[:3].min() > 0


def test_an_oblique_series_is_placed_exactly(tmp_path):
    volume = load(write_slices(make_slices(orientation=OBLIQUE), tmp_path / "series"))
    assert (
        np.abs(volume.source.grid.affine - expected_affine(OBLIQUE, (-10, 20, 5), (0.9, 1.1), 2)).max() < 1e-6
    )


def test_file_names_and_instance_numbers_do_not_decide_the_order(tmp_path):
    slices = make_slices()
    straight = load(write_slices(slices, tmp_path / "straight"))
    random.Random(1).shuffle(slices)
    for number, item in enumerate(slices):
        item.InstanceNumber = number + 1
    shuffled = load(write_slices(slices, tmp_path / "shuffled"))
    assert np.array_equal(shuffled.data, straight.data)
    assert np.array_equal(shuffled.affine, straight.affine)


def test_positions_rounded_to_a_tenth_are_still_one_stack(tmp_path):
    slices = make_slices(n=12, gap=1.04, orientation=OBLIQUE)
    for item in slices:
        item.ImagePositionPatient = [round(float(value), 1) for value in item.ImagePositionPatient]
    assert load(write_slices(slices, tmp_path / "series")).shape[0] > 0


def test_slope_and_intercept_may_differ_by_slice(tmp_path):
    slices = make_slices()
    for number, item in enumerate(slices):
        item.RescaleSlope, item.RescaleIntercept = number + 1, -number
    data, _ = load(write_slices(slices, tmp_path / "series")).in_source_space()
    assert np.allclose(data, make_voxels() * np.arange(1, 7) - np.arange(6))


def test_an_enhanced_file_gives_the_frames_in_space(tmp_path):
    volume = load(write_dicom(make_enhanced(), tmp_path / "enhanced.dcm"))
    data, affine = volume.in_source_space()
    assert np.array_equal(data, make_voxels() * 2.0 - 1)
    assert np.abs(affine - expected_affine((1, 0, 0, 0, 1, 0), (-10, 20, 5), (0.9, 1.1), 2)).max() < 1e-6


@pytest.mark.parametrize(
    "name", ["DerivationImage", "RealWorldValueMapping", "UnassignedPerFrameConvertedAttributes"]
)
def test_a_sequence_that_is_no_macro_of_an_image_does_not_outweigh_those_that_are(name, tmp_path):
    item = make_enhanced()
    shared = item.SharedFunctionalGroupsSequence[0]
    macro, other = Dataset(), Dataset()
    macro.RescaleSlope, macro.RescaleIntercept = 1, 0
    other.RescaleSlope, other.RescaleIntercept, other.ImagePositionPatient = 7, 1, [0, 0, 0]
    shared.PixelValueTransformationSequence = [macro]
    for group in item.PerFrameFunctionalGroupsSequence:
        setattr(group, f"{name}Sequence", [other])
    volume = load(write_dicom(item, tmp_path / "scan.dcm"))
    assert np.array_equal(volume.in_source_space()[0], make_voxels())


@pytest.mark.parametrize("where", ["shared", "per frame"])
def test_a_makers_private_sequence_does_not_outweigh_the_standards(where, tmp_path):
    item = make_enhanced()
    groups = (
        item.SharedFunctionalGroupsSequence if where == "shared" else item.PerFrameFunctionalGroupsSequence
    )
    for group in groups:
        private = Dataset()
        private.RescaleSlope, private.RescaleIntercept, private.ImagePositionPatient = 7, 1, [0, 0, 0]
        group.private_block(0x0009, "SOME MAKER", create=True).add_new(0x0F, "SQ", [private])
    volume = load(write_dicom(item, tmp_path / "enhanced.dcm"))
    assert np.array_equal(volume.in_source_space()[0], make_voxels() * 2.0 - 1)


def test_an_enhanced_4d_file_gives_the_volume_asked_for(tmp_path):
    voxels = make_voxels((5, 4, 12))
    path = write_dicom(make_enhanced(voxels, repeats=2), tmp_path / "enhanced.dcm")
    for number in range(2):
        data, _ = load(path, volume=number).in_source_space()
        assert np.array_equal(data, voxels[:, :, 6 * number : 6 * number + 6] * 2.0 - 1)


def test_two_echoes_in_one_series_are_two_volumes(tmp_path):
    first, second = (make_slices(make_voxels(seed=n), uid="1.2.3", EchoTime=5 + 20 * n) for n in range(2))
    folder = write_slices([*second, *first], tmp_path / "echoes")
    for number in range(2):
        assert np.array_equal(load(folder, volume=number).in_source_space()[0], make_voxels(seed=number))


def test_low_is_white_is_turned_around(tmp_path):
    volume = load(write_slices(make_slices(PhotometricInterpretation="MONOCHROME1"), tmp_path / "series"))
    assert np.array_equal(volume.in_source_space()[0], 4095 - make_voxels().astype(int))
    assert "inverted" in volume.source.notes["photometric_interpretation"]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_low_is_white_is_turned_around_at_every_width(tmp_path, bits, signed):
    """The lowest number that fits becomes the highest, and the other way round."""
    kind = np.dtype(f"<{'i' if signed else 'u'}{bits // 8}")
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    slices = make_slices(PhotometricInterpretation="MONOCHROME1")
    for item in slices:
        item.BitsAllocated, item.BitsStored, item.HighBit = bits, bits, bits - 1
        item.PixelRepresentation = int(signed)
        item.PixelData = np.resize(np.array([low, high], kind), (item.Rows, item.Columns)).tobytes()
    found = load(write_slices(slices, tmp_path / "series")).in_source_space()[0]
    wanted = np.resize(np.array([high, low], np.float32), (slices[0].Rows, slices[0].Columns)).T
    assert np.array_equal(found, np.repeat(wanted[..., None], len(slices), axis=2))


def test_one_slice_is_read_with_a_hint_at_its_folder(tmp_path):
    folder = write_slices(make_slices(), tmp_path / "series")
    volume = load(folder / "IM0003.dcm")
    assert np.array_equal(volume.in_source_space()[0][:, :, 0], make_voxels()[:, :, 2])
    assert "Give the folder" in volume.source.notes["warnings"][0]


def test_nothing_of_the_patient_is_kept(tmp_path):
    volume = load(write_slices(make_slices(), tmp_path / "series"))
    kept = repr(volume.source)
    assert not any(secret in kept for secret in ("Secret", "4711", "1949", "MPRAGE"))
    assert volume.source.header is None


def test_the_hash_changes_with_any_file(tmp_path):
    slices = make_slices()
    first = load(write_slices(slices, tmp_path / "a")).source.sha256
    assert first == load(write_slices(slices, tmp_path / "b")).source.sha256
    slices[3].SliceThickness = 9
    assert first != load(write_slices(slices, tmp_path / "c")).source.sha256


def test_phase_planes_beside_the_magnitude_are_left_out_with_a_word(tmp_path):
    phase = make_slices(make_voxels(seed=9), uid="1.2.3", ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P"])
    magnitude = make_slices(uid="1.2.3", ImageType=["ORIGINAL", "PRIMARY", "M_FFE", "M"])
    volume = load(write_slices([*phase, *magnitude], tmp_path / "series"))
    assert np.array_equal(volume.in_source_space()[0], make_voxels())
    assert "6 phase or complex slices are left out" in volume.source.notes["warnings"][0]


def test_a_value_nobody_needs_may_be_garbled(tmp_path):
    folder = write_slices(make_slices(FlipAngle=90), tmp_path / "series")
    for path in folder.iterdir():
        content = path.read_bytes()
        where = content.index(b"\x18\x00\x14\x13DS") + 8
        path.write_bytes(content[:where] + b"x!" + content[where + 2 :])
    volume = load(folder)
    assert "flip_angle_deg" not in volume.source.notes


def test_every_other_slice_lost_is_told_by_the_headers_spacing(tmp_path):
    whole = make_slices(n=8, SpacingBetweenSlices=2.0)
    assert "warnings" not in load(write_slices(whole, tmp_path / "whole")).source.notes
    half = load(write_slices(whole[::2], tmp_path / "half"))
    assert "4.00 mm apart, but SpacingBetweenSlices is 2.00 mm" in half.source.notes["warnings"][0]


def test_a_maker_who_gives_the_gap_alone_is_understood(tmp_path):
    slices = make_slices(n=8, gap=7.0, SliceThickness=5.0, SpacingBetweenSlices=2.0)
    assert "warnings" not in load(write_slices(slices, tmp_path / "series")).source.notes
