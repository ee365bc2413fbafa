"""Masks of real and simulated heads reach what the documentation promises."""

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from medunsup.core.record import Step
from medunsup.core.volume import Volume, to_ras
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask

pytestmark = [pytest.mark.data, pytest.mark.slow]


def read(path):
    image = nibabel.load(path)
    data, affine, _, _ = to_ras(np.asarray(image.dataobj, dtype=np.float32), image.affine)
    return Volume(np.ascontiguousarray(data), affine)


@pytest.mark.parametrize(
    ("scan", "reference", "least"),
    [
        ("simulated01_T1w", "simulated01_intracranial", 0.955),
        ("simulated05_T1w", "simulated05_intracranial", 0.955),
        ("colin27_T1w", "colin27_brain", 0.94),
    ],
)
def test_whole_heads_reach_the_documented_dice(data_dir, scan, reference, least):
    truth = ndimage.binary_fill_holes(read(data_dir / "heads" / f"{reference}.nii.gz").data > 0)
    step = Step("brain_mask")
    mask, registration = brain_mask(read(data_dir / "heads" / f"{scan}.nii.gz"), step=step)
    dice = 2 * (mask.data & truth).sum() / (mask.data.sum() + truth.sum())
    assert dice >= least
    assert registration.fits
    assert not step.warnings


@pytest.mark.parametrize("contrast", ["T1", "T2", "FLAIR"])
def test_thick_clinical_slices_of_one_patient_give_like_volumes(data_dir, contrast):
    step = Step("brain_mask")
    _, registration = brain_mask(read(data_dir / "dicom/brainix/nifti" / f"{contrast}.nii.gz"), step=step)
    assert registration.fits
    assert 1250 < step.findings["mask_volume_ml"] < 1550


@pytest.mark.parametrize(
    "name", ["tissue_malf/1000_T1w", "healthy_t1_raw/sub-52_T1w", "ms/patient07/FLAIR", "ms/patient07/T2"]
)
def test_real_stripped_scans_are_recognised(data_dir, name):
    step = Step("brain_mask")
    _, registration = brain_mask(read(data_dir / f"{name}.nii.gz"), step=step)
    assert step.findings["already_stripped"] is True
    assert registration.fits
