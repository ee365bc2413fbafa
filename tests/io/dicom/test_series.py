"""Of many series in a folder the 3D T1w is picked; where that is not clear, they are listed."""

import numpy as np
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices

from medunsup.core.errors import InputError, UsageError
from medunsup.io.load import load


def study(folder, *series):
    for number, tags in enumerate(series):
        voxels = make_voxels(seed=number)
        write_slices(make_slices(voxels, **{"SeriesNumber": number + 1, **tags}), folder / str(number))
    return folder


T1 = {"SeriesDescription": "t1_mprage_sag"}
T2 = {"SeriesDescription": "T2 TSE", "MRAcquisitionType": "2D"}
SCOUT = {"SeriesDescription": "scout t1", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
CT = {"SeriesDescription": "head", "Modality": "CT"}


def test_the_3d_t1w_is_picked_of_many(tmp_path):
    volume = load(study(tmp_path, T2, SCOUT, T1, CT))
    assert np.array_equal(volume.in_source_space()[0], make_voxels(seed=2))
    assert volume.source.notes["series_number"] == "3"
    assert volume.source.notes["contrast"] == "T1w"


def test_the_only_scan_beside_scouts_is_picked_whatever_its_contrast(tmp_path):
    assert load(study(tmp_path, SCOUT, T2)).source.notes["contrast"] == "T2w"


def test_without_a_3d_t1w_all_are_listed_a_line_each_and_series_is_asked_for(tmp_path):
    with pytest.raises(InputError, match='series="NUMBER"') as caught:
        load(study(tmp_path, T2, T2))
    listed = str(caught.value).splitlines()[1:]
    why = ", not taken: not T1w, not 3D"
    assert listed == [f"  {number}: T2 TSE (MR 2D, T2w, 6 slices){why}" for number in (1, 2)]


def test_a_2d_t1w_alone_is_taken_and_among_others_listed_with_the_reason_why_not(tmp_path):
    thick = {"SeriesDescription": "T1 SE", "MRAcquisitionType": "2D"}
    assert load(study(tmp_path / "alone", thick)).source.notes["acquisition"] == "2D"
    with pytest.raises(InputError) as caught:
        load(study(tmp_path / "several", T2, thick, SCOUT, CT))
    told = str(caught.value)
    assert "T1 SE (MR 2D, T1w, 6 slices), not taken: not 3D" in told
    assert "T2 TSE (MR 2D, T2w, 6 slices), not taken: not T1w, not 3D" in told
    assert "not taken: only a localizer" in told
    assert "not taken: not MR" in told


def test_two_3d_t1w_are_listed(tmp_path):
    with pytest.raises(InputError, match="2 3D T1w scans"):
        load(study(tmp_path, T1, {"SeriesDescription": "t1_mprage_gd"}))


def test_reformats_of_the_3d_t1w_do_not_stand_in_its_way(tmp_path):
    reformat = {"SeriesDescription": "t1_mprage_tra", "ImageType": ["DERIVED", "SECONDARY", "MPR"]}
    volume = load(study(tmp_path, reformat, T1, reformat))
    assert np.array_equal(volume.in_source_space()[0], make_voxels(seed=1))


@pytest.mark.parametrize("asked", [2, "2"])
def test_a_series_is_picked_by_number(asked, tmp_path):
    volume = load(study(tmp_path, T2, T2), series=asked)
    assert np.array_equal(volume.in_source_space()[0], make_voxels(seed=1))


def test_series_of_one_number_are_picked_by_uid(tmp_path):
    folder = study(
        tmp_path, {**T2, "SeriesNumber": 5, "uid": "1.2.5"}, {**T2, "SeriesNumber": 5, "uid": "1.2.6"}
    )
    with pytest.raises(UsageError, match=r"(?s)pass its UID.*UID 1\.2\.6"):
        load(folder, series=5)
    assert np.array_equal(load(folder, series="1.2.6").in_source_space()[0], make_voxels(seed=1))


def test_other_files_beside_the_series_do_no_harm(tmp_path):
    folder = study(tmp_path, T1)
    (folder / "DICOMDIR").write_bytes(b"anything")
    (folder / "readme.txt").write_text("notes")
    (folder / ".DS_Store").write_bytes(b"\x00")
    assert load(folder).shape == (5, 4, 6)


def test_a_warning_says_when_fewer_files_came_than_the_scanner_made(tmp_path):
    volume = load(study(tmp_path, {**T1, "ImagesInAcquisition": 8}))
    assert "ImagesInAcquisition says 8" in volume.source.notes["warnings"][0]


def test_an_enhanced_file_among_others_is_found(tmp_path):
    study(tmp_path, T2)
    write_dicom(make_enhanced(SeriesNumber=9), tmp_path / "enhanced.dcm")
    assert load(tmp_path).source.notes["series_number"] == "9"


@pytest.mark.parametrize("kind", ["ORIGINAL", "DERIVED", ["ORIGINAL", "PRIMARY"], [], ""], ids=str)
def test_an_image_type_of_few_values_does_not_say_phase(kind, tmp_path):
    assert load(write_slices(make_slices(ImageType=kind), tmp_path / "series")).shape == (5, 4, 6)


@pytest.mark.parametrize("kind", ["LOCALIZER", ["ORIGINAL", "LOCALIZER"]], ids=str)
def test_a_scout_is_one_however_few_values_its_image_type_has(kind, tmp_path):
    volume = load(study(tmp_path, {**SCOUT, "ImageType": kind}, T1))
    assert volume.source.notes["series_number"] == "2"


def test_an_mr_object_that_does_not_say_its_modality_is_still_mr(tmp_path):
    slices = make_slices()
    for item in slices:
        del item.Modality
    assert load(write_slices(slices, tmp_path / "series")).shape == (5, 4, 6)


@pytest.mark.parametrize(
    "kind", [["ORIGINAL", "PRIMARY", "P_FFE"], ["ORIGINAL", "PRIMARY", "I_SE"], "PHASE", ["ORIGINAL", "P"]]
)
def test_a_short_image_type_tells_of_phase_as_well(kind, tmp_path):
    with pytest.raises(InputError, match="phase or complex image"):
        load(write_slices(make_slices(ImageType=kind), tmp_path / "series"))
