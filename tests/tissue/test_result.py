"""Volumes of a result bear the name of what was measured, the brain mask."""

from dataclasses import fields

import numpy as np
import pytest

from medunsup.core.labels import TISSUES
from medunsup.core.volume import Volume
from medunsup.tissue.result import TissueResult, TissueVolume


def test_the_volume_of_the_brain_mask_is_still_read_by_its_former_names_with_a_warning():
    mask = Volume(np.ones((5, 4, 2), bool), np.diag([10.0, 10, 10, 1]), "mask")
    result = TissueResult(**{field.name: None for field in fields(TissueResult)} | {"brain_mask": mask})
    gm = TissueVolume(TISSUES[0], 10_000.0, 10_000.0, 0.25)
    assert (result.brain_mask_ml, gm.fraction_of_brain_mask) == (pytest.approx(40), 0.25)
    with pytest.warns(FutureWarning, match="brain_mask_ml"):
        assert result.intracranial_ml == pytest.approx(40)
    with pytest.warns(FutureWarning, match="fraction_of_brain_mask"):
        assert gm.fraction_of_intracranial == 0.25
