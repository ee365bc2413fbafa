"""Intensities have no unit: a scan times any factor, on any offset, gives the same brain."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask
from medunsup.preprocess.brain_extraction.intensities import tissue_look
from medunsup.preprocess.brain_extraction.stripped import own_region
from medunsup.preprocess.brain_extraction.surface import fit_surface
from medunsup.preprocess.geometry.resample import shrink
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration
from medunsup.preprocess.registration.similarity import RegistrationScore, Sampling

FACTORS = st.floats(-12, 12).map(lambda power: 10.0**power)
OFFSETS = st.floats(-4, 4)  # in ranges of the scan
IN_UNITS = settings(max_examples=6, deadline=None)


@pytest.fixture(scope="module")
def known(head_maker):
    return head_maker(spacing_mm=(5.0, 5.0, 5.0))


def changed(scan: Volume, factor: float, offset: float = 0.0) -> Volume:
    """Take the scan in another unit, its zero moved by `offset` times its range."""
    return scan.like(((scan.data + offset * np.ptp(scan.data)) * factor).astype(np.float32))


@pytest.fixture(scope="module")
def priors(known):
    template, placed = load_template(), Registration(known.template_to_scan, 0.5, fits=True)
    maps = (shrink(part, 5.0) for part in (template.gm, template.wm, template.csf))
    return [placed.to_scan(part, known.scan.grid) for part in maps]


@IN_UNITS
@example(factor=1e-12)
@example(factor=1e12)
@given(factor=FACTORS)
def test_the_look_of_the_tissues_scales_with_the_scan(known, priors, factor):
    look, other = (
        tissue_look(scan.data, priors, known.brain.data, scan.spacing_mm)
        for scan in (known.scan, changed(known.scan, factor))
    )
    np.testing.assert_allclose(np.array(other.mean) / factor, look.mean, rtol=1e-3)
    np.testing.assert_allclose(np.array(other.sd) / factor, look.sd, rtol=1e-2)
    np.testing.assert_allclose(other.bias, look.bias, rtol=1e-3)


@IN_UNITS
@example(factor=1e-12, offset=0.0)
@example(factor=1e12, offset=-2.0)
@given(factor=FACTORS, offset=OFFSETS)
def test_how_well_a_template_lies_does_not_hang_on_the_unit(known, factor, offset):
    template, sampling = load_template(), Sampling(block_mm=9.0, margin_mm=4.0, smoothing_mm=2.5)
    here, there = (
        RegistrationScore(template.t1, template.mask, scan, None, sampling)(known.template_to_scan)
        for scan in (known.scan, changed(known.scan, factor, offset))
    )
    assert here > 0.1
    assert there == pytest.approx(here, abs=1e-3)


@IN_UNITS
@given(factor=FACTORS, offset=OFFSETS, noise=st.sampled_from([0.0, 2.0]))
def test_a_stripped_scan_keeps_its_region_in_any_unit(known, factor, offset, noise):
    scan = known.stripped(noise=noise).scan
    here, there = own_region(scan), own_region(changed(scan, factor, offset))
    assert here is not None
    assert there is not None
    assert (here != there).mean() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "offset"), [(1e-12, 0.0), (1e-9, -2.0), (1e7, 0.0), (1e12, 1.0)])
def test_the_brains_surface_is_found_in_any_unit(known, factor, offset):
    template = load_template()
    placed = Registration(known.template_to_scan, 0.5, fits=True)
    here, there = (
        fit_surface(scan, placed, template).fitted
        for scan in (known.scan, changed(known.scan, factor, offset))
    )
    assert (here != there).mean() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_a_whole_head_has_one_mask_in_any_unit(known, factor):
    here, there = (
        brain_mask(scan, step=Step("mask"))[0].data for scan in (known.scan, changed(known.scan, factor))
    )
    assert 2 * (here & there).sum() / (here.sum() + there.sum()) > 0.995
