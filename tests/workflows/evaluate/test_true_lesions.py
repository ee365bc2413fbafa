"""True lesions are what their file marks, in whatever form, and never a scan given by mistake."""

import nibabel as nib
import numpy as np
import pytest

from medunsup.cohort.dataset.sources import Case
from medunsup.core.errors import InputError
from medunsup.io.load import load
from medunsup.workflows.evaluate.lesions import true_lesions
from medunsup.workflows.evaluate.synthetic import read_shapes

SHAPE = (12, 14, 16)
DISTANCE = np.linalg.norm(np.indices(SHAPE) - np.array([6, 7, 8]).reshape(3, 1, 1, 1), axis=0)
LESION = DISTANCE < 3


def read(folder, values):
    scan, lesions = folder / "scan.nii", folder / "lesions.nii"
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random(SHAPE, dtype="f4"), np.eye(4)), scan)
    nib.save(nib.Nifti1Image(values.astype("f4"), np.eye(4)), lesions)
    case = Case(scan, "sub-1", lesions=lesions, state="patient")
    return true_lesions(case, load(scan))


@pytest.mark.parametrize("scale", [1, 255, 0.1, 1000])
def test_masks_and_labels_count_whatever_their_scale(scale, tmp_path):
    labels = LESION * (1 + (np.indices(SHAPE)[0] > 6)) * scale
    assert np.array_equal(read(tmp_path, labels), LESION)


def test_shares_count_above_half(tmp_path):
    shares = 1 / (1 + np.exp(4 * (DISTANCE - 3 + 1e-3)))  # above 0 everywhere
    assert np.array_equal(read(tmp_path, shares), LESION)


def test_a_scan_is_no_lesion_mask(tmp_path):
    with pytest.raises(InputError, match="holds grey values"):
        read(tmp_path, np.random.default_rng(1).uniform(1, 900, SHAPE))


def test_a_scan_beside_the_masks_is_no_shape_of_a_lesion(tmp_path):
    scan = np.random.default_rng(1).uniform(1, 900, SHAPE).astype("f4")
    nib.save(nib.Nifti1Image(scan, np.diag([3, 3, 3, 1])), tmp_path / "p1_FLAIR.nii")
    with pytest.raises(InputError, match=r"p1_FLAIR\.nii: holds grey values"):
        read_shapes(tmp_path)
