"""Tissue maps that experts drew, resampled to a grid of 1 mm by the real registration, and back."""

import numpy as np
import pytest

from medunsup.core.record import Record
from medunsup.io.load import load
from medunsup.metrics.segmentation import dice
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.preprocess.registration.affine import register_template

SCANS = ("1000", "1002", "1005", "1007", "1010", "1015", "1019", "1036", "1104", "1113", "1119", "1128")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("scan", SCANS)
def test_tissues_of_a_real_brain_come_back_from_the_grid(data_dir, scan):
    image, drawn = (load(data_dir / f"tissue_malf/{scan}_{kind}.nii.gz") for kind in ("T1w", "manual"))
    mask = load(data_dir / f"tissue_malf/{scan}_mask.nii.gz")
    registration = register_template(image, mask, step=Record().step("place"))
    space = ModelSpace(1.0)
    back = []
    for tissue in range(4):
        truth = drawn.like((drawn.data == tissue).astype(np.float32))
        on_grid = space.to_template_grid(truth, registration.template_to_scan)
        back.append(space.to_native(on_grid, registration.template_to_scan, drawn.grid))
    found = np.argmax(back, axis=0)
    for tissue in (1, 2, 3):
        assert dice(found, drawn.data, tissue) >= 0.99
