"""Facts about the whole way from a file to volumes, on a made-up brain: what must not change does not."""

import nibabel
import numpy as np
import pytest
from helpers.dicom_maker import make_slices, write_slices
from helpers.phantom import make_anatomy, save

import medunsup
from medunsup.metrics.segmentation import dice

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory, brain):
    """The brain and its mask as they would lie on disk, RAS."""
    path = tmp_path_factory.mktemp("whole")
    save(brain.image(), path / "RAS_T1w.nii.gz")
    save(brain.mask, path / "RAS_mask.nii.gz", dtype=np.uint8)
    return path


@pytest.fixture(scope="module")
def result(folder):
    """What `segment` makes of it."""
    return medunsup.segment(folder / "RAS_T1w.nii.gz", mask=folder / "RAS_mask.nii.gz")


@pytest.mark.parametrize("axes", ["LPS", "SAR", "PIL"])
def test_how_the_axes_are_stored_changes_nothing_in_world_space(axes, folder, result, brain):
    scan = save(brain.image(), folder / f"{axes}_T1w.nii.gz", axes=axes)
    mask = save(brain.mask, folder / f"{axes}_mask.nii.gz", axes=axes, dtype=np.uint8)
    turned = medunsup.segment(scan, mask=mask)
    assert (turned.labels.data == result.labels.data).mean() > 0.9999
    assert turned.volumes_ml == pytest.approx(result.volumes_ml, rel=1e-4)
    paths = turned.save(folder / f"out{axes}")
    written = nibabel.load(paths["dseg"])
    assert "".join(nibabel.aff2axcodes(written.affine)) == axes
    np.testing.assert_allclose(written.affine, nibabel.load(scan).affine, atol=1e-6)


@pytest.mark.parametrize(("gain", "offset"), [(0.01, 0.0), (40.0, 500.0)])
def test_scale_and_offset_of_the_scan_do_not_change_volumes(gain, offset, folder, result, brain):
    image = brain.image()
    scan = save(image.like(image.data * gain + offset), folder / f"gain{gain}_T1w.nii.gz")
    again = medunsup.segment(scan, mask=folder / "RAS_mask.nii.gz")
    assert again.volumes_ml == pytest.approx(result.volumes_ml, rel=2e-3)


def test_voxel_size_changes_volumes_only_by_partial_volume(tmp_path):
    """2 mm against 3 mm of one head, noise and bias alike."""
    found = []
    for size in (2.0, 3.0):
        anatomy = make_anatomy(spacing_mm=(size,) * 3)
        scan = save(anatomy.image(bias=0.1), tmp_path / f"{size}_T1w.nii")
        mask = save(anatomy.mask, tmp_path / f"{size}_mask.nii", dtype=np.uint8)
        found.append(medunsup.segment(scan, mask=mask).volumes_ml)
    for name in ("GM", "WM"):
        assert found[0][name] == pytest.approx(found[1][name], rel=0.05)


def test_dicom_and_nifti_of_one_scan_give_the_same_labels(folder, brain, tmp_path):
    stored = brain.image().data.round()
    nifti = save(brain.image().like(stored), tmp_path / "scan_T1w.nii")
    slices = make_slices(
        stored[::-1, ::-1].astype(np.uint16), spacing=(3.0, 3.0), gap=3.0, origin=lps_origin(brain)
    )
    dicom = write_slices(slices, tmp_path / "series")
    first, second = (
        medunsup.segment(path, mask=folder / "RAS_mask.nii.gz", contrast="T1w") for path in (nifti, dicom)
    )
    for label in (1, 2, 3):
        assert dice(first.labels.data, second.labels.data, label) > 0.999


def test_same_scan_and_seed_give_the_same_bytes_on_disk(folder, result, tmp_path):
    again = medunsup.segment(folder / "RAS_T1w.nii.gz", mask=folder / "RAS_mask.nii.gz")
    first, second = result.save(tmp_path / "a"), again.save(tmp_path / "b")
    assert set(first) == set(second)
    for kind, path in first.items():
        assert path.read_bytes() == second[kind].read_bytes(), kind


def lps_origin(anatomy) -> tuple[float, float, float]:
    """Position of the first DICOM voxel: the last along R and A."""
    last = anatomy.affine @ [anatomy.image().shape[0] - 1, anatomy.image().shape[1] - 1, 0, 1]
    return (-last[0], -last[1], last[2])
