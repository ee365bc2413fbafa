"""A folder's images are found one by one, whatever lies among them and however its folders are linked."""

import gzip
import shutil
from copy import deepcopy

import nibabel as nib
import numpy as np
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices
from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    MRSpectroscopyStorage,
    ParametricMapStorage,
    RawDataStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    generate_uid,
)

from medunsup.core.errors import InputError
from medunsup.io.load import load

LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
PRIVATE = "1.3.46.670589.11.0.0.12.2"
FIRST, LAST = "AA.dcm", "ZZ.dcm"
NO_PIXELS = (
    RawDataStorage, BasicTextSRStorage, EncapsulatedPDFStorage, GrayscaleSoftcopyPresentationStateStorage,
    MRSpectroscopyStorage, PRIVATE,
)  # fmt: skip


def other_object(kind, uid, **tags):
    """An object of another kind in the series `uid`, without pixels unless `Rows` is given."""
    item = make_slices(n=1, uid=uid, **{"SOPClassUID": kind, "SeriesDescription": "T2 TSE", **tags})[0]
    item.file_meta.MediaStorageSOPClassUID = kind
    item.InstanceNumber = 0
    del item.ImagePositionPatient, item.ImageOrientationPatient
    if kind in NO_PIXELS:
        del item.PixelData
    return item


def with_object(folder, kind, name, **tags):
    slices = make_slices(uid="1.2.3")
    write_slices(slices, folder)
    write_dicom(other_object(kind, "1.2.3", **tags), folder / name)
    return folder


@pytest.mark.parametrize("name", [FIRST, LAST])
@pytest.mark.parametrize(
    "kind", [*NO_PIXELS, SegmentationStorage, LABEL_MAP, ParametricMapStorage, SecondaryCaptureImageStorage]
)
def test_an_object_that_is_no_image_is_passed_over_wherever_it_sorts(kind, name, tmp_path):
    volume = load(with_object(tmp_path / "s", kind, name, Modality="OT"))
    assert np.array_equal(volume.in_source_space()[0], make_voxels())
    assert volume.source.notes["contrast"] == "T1w", "what the images say"
    assert "passed over" in volume.source.notes["warnings"][0]


@pytest.mark.parametrize("name", [FIRST, LAST])
def test_a_series_with_raw_data_is_asked_about_like_any_other(name, tmp_path):
    with_object(tmp_path / "1", RawDataStorage, name)
    write_slices(make_slices(make_voxels(seed=1), SeriesNumber=7), tmp_path / "2")
    with pytest.raises(InputError, match="holds 2 series and 2 3D T1w scans"):
        load(tmp_path)


def test_each_enhanced_series_with_its_raw_data_is_found(tmp_path):
    for number in (1, 2):
        item = make_enhanced(SeriesNumber=number, SeriesDescription="t2_tse")
        write_dicom(item, tmp_path / f"IM_{number}")
        write_dicom(other_object(RawDataStorage, item.SeriesInstanceUID), tmp_path / f"EX_{number}")
    with pytest.raises(InputError, match="holds 2 series"):
        load(tmp_path)
    assert load(tmp_path, series=2).shape == (5, 4, 6)


@pytest.mark.parametrize("kind", NO_PIXELS)
def test_a_folder_without_images_is_told_by_the_kind_it_holds(kind, tmp_path):
    write_dicom(other_object(kind, "1.2.3"), tmp_path / "a.dcm")
    with pytest.raises(InputError, match=r"no images \(.+\)\. Give the folder of an image series"):
        load(tmp_path)


def test_pictures_in_colours_among_grey_slices_are_passed_over(tmp_path):
    slices = make_slices(uid="1.2.3")
    colours = deepcopy(slices[0])
    colours.SOPInstanceUID = colours.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    colours.SamplesPerPixel, colours.PhotometricInterpretation, colours.PlanarConfiguration = 3, "RGB", 0
    colours.PixelData = colours.PixelData * 3
    volume = load(write_slices([colours, *slices], tmp_path / "s"))
    assert np.array_equal(volume.in_source_space()[0], make_voxels())


def test_secondary_captures_alone_are_refused_as_such(tmp_path):
    write_dicom(other_object(SecondaryCaptureImageStorage, "1.2.3"), tmp_path / "a.dcm")
    with pytest.raises(InputError, match="is a secondary capture"):
        load(tmp_path)


@pytest.mark.parametrize("kind", [SecondaryCaptureImageStorage, BasicTextSRStorage, RawDataStorage])
def test_of_a_folder_with_a_nifti_file_and_no_dicom_scan_the_nifti_file_is_told(kind, tmp_path):
    write_dicom(other_object(kind, "1.2.3", Modality="OT"), tmp_path / "a.dcm")
    nib.save(nib.Nifti1Image(make_voxels().astype("f4"), np.eye(4)), tmp_path / "scan.nii.gz")
    with pytest.raises(InputError, match=r"NIfTI files itself, for example scan\.nii\.gz"):
        load(tmp_path)


def test_a_linked_series_is_read(tmp_path):
    folder = write_slices(make_slices(), tmp_path / "store" / "series")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "link").symlink_to(folder, target_is_directory=True)
    assert np.array_equal(load(tmp_path / "study").in_source_space()[0], make_voxels())


def test_a_file_under_several_names_is_one_file(tmp_path):
    folder = write_slices(make_slices(), tmp_path / "s")
    (folder / "again.dcm").symlink_to(folder / "IM0003.dcm")
    (folder / "once_more.dcm").hardlink_to(folder / "IM0004.dcm")
    assert np.array_equal(load(folder).in_source_space()[0], make_voxels())


def annexed(folder, n_fetched):
    """Turn the files of a folder into links into a git-annex, of which `n_fetched` have their content."""
    store = folder / ".git" / "annex" / "objects"
    store.mkdir(parents=True)
    for number, file in enumerate(sorted(folder.glob("*.dcm"))):
        key = store / f"MD5E-s100--{number:032d}.dcm"
        file.rename(key)
        file.symlink_to(key.relative_to(folder))
        if number >= n_fetched:
            key.unlink()
    return folder


def test_an_annexed_series_is_read_once(tmp_path):
    folder = annexed(write_slices(make_slices(), tmp_path / "s"), 6)
    assert np.array_equal(load(folder).in_source_space()[0], make_voxels())


@pytest.mark.parametrize("n_fetched", [0, 5])
def test_slices_that_are_not_fetched_are_told_with_the_command_for_all(n_fetched, tmp_path):
    folder = annexed(write_slices(make_slices(), tmp_path / "s"), n_fetched)
    with pytest.raises(
        InputError, match=rf"{6 - n_fetched} of its files.*not been fetched.*datalad get \S+/s`"
    ):
        load(folder)


def test_a_link_to_nothing_is_not_taken_for_a_slice_that_never_was(tmp_path):
    folder = write_slices(make_slices(), tmp_path / "s")
    (folder / "IM0006.dcm").unlink()
    (folder / "IM0006.dcm").symlink_to(tmp_path / "gone.dcm")
    with pytest.raises(InputError, match=r"IM0006\.dcm: is a link to a file that is not there"):
        load(folder)


@pytest.mark.parametrize("n_packed", [6, 1])
def test_compressed_dicom_files_are_told_with_the_command_that_unpacks_them(n_packed, tmp_path):
    folder = write_slices(make_slices(), tmp_path / "s")
    for file in sorted(folder.iterdir())[:n_packed]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    with pytest.raises(InputError, match=rf"{n_packed} of its files are gzip-compressed DICOM.*gunzip -r"):
        load(folder)


def test_a_folder_of_something_else_is_told_by_what_it_looks_like(tmp_path):
    shutil.make_archive(str(tmp_path / "scans"), "zip", write_slices(make_slices(), tmp_path / "s"))
    shutil.rmtree(tmp_path / "s")
    with pytest.raises(InputError, match=r"scans\.zip looks like a ZIP archive: unpack it first"):
        load(tmp_path)
