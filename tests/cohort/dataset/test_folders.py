"""A folder of NIfTI files stands for the scans in it; what is none is left out with a word."""

import logging

import nibabel as nib
import numpy as np
import pytest
from helpers.dicom_maker import make_slices, write_slices

from medunsup.cohort.dataset.folders import images_below, opened
from medunsup.core.errors import InputError
from medunsup.io.load import load
from medunsup.io.nifti.write import write_volume

RNG = np.random.default_rng(0)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def put(path, data=None, kind=nib.Nifti1Image):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = RNG.integers(1, 900, (8, 9, 10)) if data is None else data
    nib.save(kind(values.astype(np.int16), AFFINE), path)
    return path


def labels():
    grown = np.zeros((8, 9, 10))
    grown[2:6, 2:7, 2:8] = 1
    grown[3:5, 3:6, 3:7] = 2
    return grown


def test_its_scans_take_its_place_and_what_is_none_is_left_out_with_a_word(tmp_path, caplog):
    folder = tmp_path / "cohort"
    scans = [
        put(folder / "a.nii.gz"),
        put(folder / "deeper" / "b.nii"),
        put(folder / "p.hdr", kind=nib.Nifti1Pair),
    ]
    put(folder / "a_mask.nii.gz")
    put(folder / "a_FAST.nii.gz", labels())
    write_volume(load(scans[0]), folder / "a_desc-x.nii.gz", descrip="medunsup uncertainty")
    (folder / "notes.txt").write_text("none")
    alone = put(tmp_path / "c.nii.gz")
    with caplog.at_level(logging.WARNING):
        assert opened([folder, alone]) == [*scans, alone]
    assert caplog.messages == [f"{folder}: 3 scans; left out: 1 result of medunsup, 2 label maps or masks."]


def test_of_a_bids_data_set_its_own_t1w_scans_are_taken_and_no_derivative(tmp_path, caplog):
    scan = put(tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    put(tmp_path / "sub-01" / "func" / "sub-01_task-rest_bold.nii.gz")
    put(tmp_path / "derivatives" / "other" / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz")
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    assert opened([tmp_path]) == [scan]
    assert "1 T1w scan of a BIDS data set. For others, or some of them, give the files" in caplog.text


def test_a_pair_is_one_image_and_half_a_pair_is_none(tmp_path):
    pair = put(tmp_path / "p.hdr", kind=nib.Nifti1Pair)
    put(tmp_path / "q.hdr", kind=nib.Nifti1Pair)
    (tmp_path / "q.img").unlink()
    assert images_below(tmp_path) == [pair]


def test_a_folder_without_any_scan_says_what_it_holds_instead(tmp_path):
    put(tmp_path / "x.nii.gz", labels())
    with pytest.raises(InputError, match=r"holds no scan\. Left out: 1 label map or mask\."):
        opened([tmp_path])


def test_every_result_of_medunsup_counts_as_one_whatever_its_name_and_values(tmp_path):
    scan = load(put(tmp_path / "scan.nii.gz"))
    for kind in ("dseg", "mask", "corrected"):
        write_volume(scan, tmp_path / "heads" / f"x_{kind}.nii.gz", descrip=f"medunsup {kind}")
    with pytest.raises(InputError, match=r"Left out: 3 results of medunsup\. Give"):
        opened([tmp_path / "heads"])


def test_dicom_images_of_mr_outweigh_nifti_files_beside_them_and_that_is_said(tmp_path, caplog):
    write_slices(make_slices(), tmp_path / "series")
    put(tmp_path / "series" / "converted.nii.gz")
    assert opened([tmp_path / "series"]) == [tmp_path / "series"]
    assert "its DICOM images are taken, not its 1 NIfTI" in caplog.text


def test_a_picture_of_a_screen_does_not_make_it_a_dicom_folder(tmp_path):
    slices = make_slices()[:1]
    for one in slices:
        one.Modality, one.SOPClassUID = "OT", "1.2.840.10008.5.1.4.1.1.7"
    write_slices(slices, tmp_path / "mix")
    scan = put(tmp_path / "mix" / "scan.nii.gz")
    assert opened([tmp_path / "mix"]) == [scan]


def test_a_dicom_folder_and_an_empty_one_stay_what_they_are(tmp_path):
    write_slices(make_slices(), tmp_path / "series")
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "series", tmp_path / "empty"]
    assert opened(paths) == paths
