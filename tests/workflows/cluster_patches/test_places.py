"""Labels of voxels sit where the structure is in the world, however the scan was acquired and stored."""

import nibabel as nib
import numpy as np
import pytest

import medunsup

SIDES_MM = {"axial": (1.5, 1.5, 4.0), "sagittal": (4.0, 1.5, 1.5), "coronal": (1.5, 4.0, 1.5)}
CENTRE_MM = np.array([-14.0, 9.0, 21.0])
RADIUS_MM = 12.0
TURN = np.array([[0.94, -0.27, 0.21], [0.31, 0.93, -0.18], [-0.15, 0.24, 0.96]])


def scan(folder, acquired: str, stored: str, *, is_oblique: bool = False):
    """A head with a bright ball at one side, acquired in such slices and stored along such axes."""
    sides = np.array(SIDES_MM[acquired])
    shape = np.ceil(110 / sides).astype(int)
    turn = np.linalg.qr(TURN)[0] if is_oblique else np.eye(3)
    turn = turn * np.sign(np.diag(turn))
    affine = np.eye(4)
    affine[:3, :3] = turn * sides
    affine[:3, 3] = -affine[:3, :3] @ ((shape - 1) / 2)
    index = np.indices(shape).reshape(3, -1)
    places = (affine[:3, :3] @ index).T + affine[:3, 3]
    ball = np.linalg.norm(places - CENTRE_MM, axis=1) < RADIUS_MM
    head = np.linalg.norm(places / [42, 50, 45], axis=1) < 1
    noise = np.random.default_rng(0).normal(size=len(places))
    values = np.where(head, 100 + 3 * noise + 80 * ball, 0).reshape(shape).astype(np.float32)
    found = []
    for name, voxels in (("scan", values), ("mask", head.reshape(shape).astype(np.uint8))):
        image = nib.Nifti1Image(voxels, affine)
        current = nib.io_orientation(affine)
        wanted = nib.orientations.axcodes2ornt(tuple(stored))
        turned = image.as_reoriented(nib.orientations.ornt_transform(current, wanted))
        turned.header.set_xyzt_units("mm")
        path = folder / f"{name}.nii.gz"
        nib.save(turned, path)
        found.append(path)
    return found


@pytest.mark.parametrize(
    ("acquired", "stored", "is_oblique"),
    [
        ("axial", "RAS", False),
        ("axial", "LPS", False),
        ("axial", "RAS", True),
        ("sagittal", "PSR", False),
        ("sagittal", "AIL", False),
        ("sagittal", "PSR", True),
        ("coronal", "RSP", False),
        ("coronal", "LIA", False),
        ("coronal", "LSA", True),
        ("axial", "SPL", True),
    ],
)
def test_the_bright_cluster_is_the_ball_where_it_lies_in_the_world(acquired, stored, is_oblique, tmp_path):
    path, mask = scan(tmp_path, acquired, stored, is_oblique=is_oblique)
    medunsup.cluster_patches(path, tmp_path / "out", mask=mask, k=2)
    given, labels = nib.load(path), nib.load(tmp_path / "out" / "patches_dseg.nii.gz")
    np.testing.assert_array_equal(labels.affine, given.affine)
    bright = np.argwhere(np.asarray(labels.dataobj) == 2)
    places = bright @ labels.affine[:3, :3].T + labels.affine[:3, 3]
    assert np.linalg.norm(places.mean(axis=0) - CENTRE_MM) < 1.5
    assert np.percentile(np.linalg.norm(places - CENTRE_MM, axis=1), 95) < RADIUS_MM + 4
    voxels = np.indices(labels.shape).reshape(3, -1).T @ labels.affine[:3, :3].T + labels.affine[:3, 3]
    in_ball = np.linalg.norm(voxels - CENTRE_MM, axis=1) < RADIUS_MM - 2
    assert (np.asarray(labels.dataobj).reshape(-1)[in_ball] == 2).mean() > 0.98
