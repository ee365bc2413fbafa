"""Features of voxels by a pretrained encoder, back on the scan's own voxels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.folder import read_encoder
from medunsup.cohort.labelled.alike import as_before, before_of, refuse_other_scans
from medunsup.cohort.prepare import Say, load_and_prepare
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.training.consistency import Common
from medunsup.core.errors import UsageError
from medunsup.core.volume import Volume

Learned = tuple[Volume, Volume, tuple[str, ...], NDArray[np.float32]]


def learned_features(request: ScanRequest, folder: Path, say: Say | None) -> Learned:
    """Return the scan, its brain, and names and features (N, D) of the voxels in it.

    The scan is prepared as those of the pretraining were, and what the encoder makes of it is brought back
    to the scan's own voxels. Raises UsageError for an encoder of images, InputError for a scan unlike those
    of its pretraining.
    """
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.selfsupervised.voxel_maps import voxel_maps

    opened = read_encoder(folder)
    before = before_of(opened)
    if before.channels != 1:
        raise UsageError(
            f"{folder}: takes {before.channels} channels, a scan has 1. Give an encoder of scans."
        )
    was = as_before(before, request.path)
    asked = request.reading.model_dump(exclude_unset=True)
    reading = type(request.reading).parse(was.reading.model_dump() | asked, where="cluster patches")
    image, made = load_and_prepare(replace(request, reading=reading), was.spacing_mm, say=say)
    refuse_other_scans(before, Common(made.contrast, max(made.spacing_mm), (made.content,)))
    brain, space = image.like(made.brain, "mask"), ModelSpace(was.spacing_mm)
    inside, columns = made.brain.astype(bool), {}
    for name, one in voxel_maps(opened.network, made.values, made.mask).items():
        columns[name] = space.to_native(one, made.template_to_scan, image.grid)[inside]
    return image, brain, tuple(columns), np.stack(list(columns.values()), axis=1).astype(np.float32)
