"""A made-up brain on disk, tilted and stored left-first, as a scanner might give it."""

import nibabel as nib
import numpy as np
import pytest


@pytest.fixture(scope="session")
def scan_file(brain, tmp_path_factory):
    """NIfTI file of a stripped brain, axes (superior, left, anterior)."""
    image = brain.image("T1w", noise=0.02, bias=0.1)
    data = np.where(brain.mask.data, image.data, 0)
    picture = nib.Nifti1Image(data.astype(np.float32), image.affine)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(("S", "L", "A"))
    )
    path = tmp_path_factory.mktemp("scan") / "scan.nii.gz"
    nib.save(picture.as_reoriented(turn), path)
    return path
