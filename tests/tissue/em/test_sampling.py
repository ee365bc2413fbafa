"""How a scan is cut must not show in the result."""

import numpy as np
import pytest
from helpers.phantom import make_anatomy

from medunsup.core.labels import TISSUES
from medunsup.preprocess.intensity.normalize import winsorize_and_scale
from medunsup.tissue.base import TissueInput
from medunsup.tissue.em import sampling
from medunsup.tissue.methods.atlas_gmm import AtlasGmm


@pytest.fixture(scope="module")
def scan() -> TissueInput:
    anatomy = make_anatomy(spacing_mm=(2.5, 3.0, 3.0))
    mask = anatomy.mask.data
    image = anatomy.image("T1w", noise=0.04, bias=0.2).data
    priors = (anatomy.fractions[:3] + 0.1) / (anatomy.fractions[:3] + 0.1).sum(axis=0)
    scaled = winsorize_and_scale(image, mask)[None]
    return TissueInput(scaled, mask, (2.5, 3.0, 3.0), ("T1w",), TISSUES, priors.astype(np.float32))


def test_labelling_slab_by_slab_gives_the_maps_of_the_whole(scan, monkeypatch):
    whole = AtlasGmm().fit(scan)
    monkeypatch.setattr(sampling, "SLAB_VOXELS", int(np.prod(scan.mask.shape[1:])) * 36)
    assert len(list(sampling.slabs(scan, 12))) > 2
    cut = AtlasGmm().fit(scan)
    np.testing.assert_array_equal(cut.labels_, whole.labels_)
    for name in ("posterior_", "fractions_", "entropy_", "outlier_", "bias_field_"):
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), atol=1e-5, err_msg=name)


@pytest.mark.parametrize("halo", [0, 3, 50])
def test_slabs_cover_every_voxel_once(scan, halo, monkeypatch):
    monkeypatch.setattr(sampling, "SLAB_VOXELS", int(np.prod(scan.mask.shape[1:])) * 9)
    seen = np.zeros(scan.mask.shape[0], dtype=int)
    for slab in sampling.slabs(scan, halo):
        seen[slab.place] += 1
        np.testing.assert_array_equal(slab.data.mask[slab.own], scan.mask[slab.place])
    assert (seen == 1).all()
