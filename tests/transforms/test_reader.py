"""MONAI loads a scan through medunsup's front door: same checks, same place in the world."""

import nibabel as nib
import numpy as np
import pytest
import torch
from helpers.dicom_maker import make_slices, make_voxels, write_slices
from helpers.nifti_maker import OBLIQUE, make_nifti, make_values
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, LoadImage, LoadImaged

from medunsup.core.errors import GeometryError, InputError
from medunsup.transforms import MedunsupReader

pytestmark = pytest.mark.filterwarnings("ignore:NvImgCodec")  # MONAI tries its GPU reader


def test_a_nifti_file_comes_in_its_own_axis_order_and_place(tmp_path):
    path = make_nifti(tmp_path / "scan.nii.gz", affine=OBLIQUE)
    image = LoadImage(reader=MedunsupReader(), ensure_channel_first=True)(path)
    assert np.array_equal(image[0], make_values())
    assert np.array_equal(image.affine, nib.load(path).affine)
    reference = LoadImage(reader="NibabelReader", ensure_channel_first=True)(path)
    assert torch.equal(image, reference)
    assert torch.allclose(image.affine, reference.affine)


def test_a_dicom_folder_comes_as_its_slices(tmp_path):
    folder = write_slices(make_slices(), tmp_path / "series")
    image = LoadImage(reader=MedunsupReader(), ensure_channel_first=True)(folder)
    assert np.array_equal(image[0], make_voxels())
    assert image.meta["format"] == "dicom"


def test_options_of_load_are_the_readers(tmp_path):
    path = make_nifti(tmp_path / "bold.nii.gz", make_values((3, 4, 5, 6)))
    image = LoadImage(reader=MedunsupReader(volume=2))(path)
    assert np.array_equal(image, make_values((3, 4, 5, 6))[..., 2])


def test_several_contrasts_become_channels_if_their_grids_agree(tmp_path):
    paths = [make_nifti(tmp_path / f"{n}.nii", make_values(seed=n)) for n in range(2)]
    image = LoadImage(reader=MedunsupReader(), ensure_channel_first=True)(paths)
    assert image.shape == (2, 5, 6, 7)
    other = make_nifti(tmp_path / "moved.nii", affine=OBLIQUE)
    with pytest.raises(GeometryError, match=r"moved\.nii lie on different grids"):
        LoadImage(reader=MedunsupReader())([paths[0], other])


def test_a_series_with_a_missing_slice_is_refused_not_handed_to_another_reader(tmp_path):
    slices = make_slices(n=8)
    folder = write_slices([*slices[:3], *slices[4:]], tmp_path / "series")
    with pytest.raises(GeometryError, match="slice 4 of 8 is missing"):
        LoadImage(reader=MedunsupReader())(folder)
    with pytest.raises(RuntimeError) as caught:
        Compose([LoadImaged("image", reader=MedunsupReader())])({"image": folder})
    assert isinstance(caught.value.__cause__, GeometryError)


def test_nan_is_refused(tmp_path):
    data = make_values(dtype=np.float32)
    data[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        LoadImage(reader=MedunsupReader())(make_nifti(tmp_path / "scan.nii", data))


@pytest.mark.parametrize("workers", [0, 2])
def test_nifti_and_dicom_are_batched_together_by_a_data_loader(workers, tmp_path):
    nifti = make_nifti(tmp_path / "scan.nii.gz", make_values((5, 4, 6)))
    dicom = write_slices(make_slices(), tmp_path / "series")
    load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    files = Dataset([{"image": str(nifti)}, {"image": str(dicom)}], load)
    batch = next(iter(DataLoader(files, batch_size=2, num_workers=workers)))["image"]
    assert batch.shape == (2, 1, 5, 4, 6)
    assert np.array_equal(batch[1, 0], make_voxels())
    assert batch.meta["format"] == ["nifti", "dicom"]
    assert batch.affine.shape == (2, 4, 4)


def test_it_knows_the_names_it_can_read(tmp_path):
    reader = MedunsupReader()
    assert reader.verify_suffix("a.nii.gz")
    assert reader.verify_suffix(["a.mgz", "b.DCM", tmp_path])
    assert not reader.verify_suffix("a.png")
