"""Further contrasts given beside a scan: as they are in register, registered if not, refused if wrong."""

import re

import numpy as np
import pytest
from helpers import phantom

from medunsup.cohort.further_contrasts import load_contrasts
from medunsup.core.errors import GeometryError
from medunsup.core.record import Step
from medunsup.core.volume import Volume


@pytest.fixture(scope="module")
def anatomy() -> phantom.Anatomy:
    return phantom.make_anatomy(spacing_mm=(5, 5, 5))


@pytest.fixture
def read(anatomy, tmp_path):
    """Read one further scan beside the phantom's T1w."""

    def load_beside(further: Volume):
        path = phantom.save(further, tmp_path / "second.nii.gz", axes="LPS")
        step = Step("contrasts")
        volumes, findings = load_contrasts({"T2w": path}, anatomy.image("T1w"), anatomy.mask, step)
        return volumes["T2w"], findings, step

    return load_beside


def test_a_scan_in_register_stays_as_it_is_to_the_bit(anatomy, read):
    truth = anatomy.image("T2w", seed=1)
    further, findings, step = read(truth)
    assert (further.data == truth.data).all()
    assert step.warnings == []
    assert not step.findings["T2w place"]["registered"]
    assert findings.verdict().verdict == "pass"


def test_a_scan_that_moved_is_brought_back_and_that_is_told(anatomy, read):
    shift = np.array([0.0, 8.0, 0.0])
    truth = anatomy.image("T2w", seed=1)
    affine = truth.affine.copy()
    affine[:3, 3] += shift
    further, findings, step = read(Volume(truth.data, affine))
    inside = anatomy.mask.data
    assert np.corrcoef(further.data[inside], truth.data[inside])[0, 1] > 0.95
    assert "not in register" in step.warnings[0]
    place = step.findings["T2w place"]
    assert place["moved_mm"] == pytest.approx(8, abs=1)
    assert np.array(place["scan_to_contrast"])[:3, 3] == pytest.approx(shift, abs=1)
    assert findings.verdict().verdict == "pass"


def test_a_mirrored_scan_is_refused_with_that_reason(anatomy, read):
    truth = anatomy.image("T2w", seed=1)
    with pytest.raises(GeometryError, match=r"second\.nii\.gz: the T2w is mirrored left to right"):
        read(truth.like(truth.data[::-1].copy()))


def test_a_scan_of_part_of_the_brain_asks_for_a_look(anatomy, read):
    truth = anatomy.image("T2w", seed=1)
    _, findings, _ = read(Volume(truth.data[:, :, : truth.shape[2] * 2 // 3], truth.affine))
    quality = findings.verdict()
    assert quality.verdict == "check"
    assert re.search(r"The T2w shows only [67]\d % of the brain", quality.reasons[0])
