"""The brain is found whatever the contrast, tilt, slices or grid, and whether or not the skull is gone."""

import subprocess
import sys

import numpy as np
import pytest
from helpers.phantom import reread
from scipy import ndimage

from medunsup.core.errors import StepError, UsageError
from medunsup.core.geometry import Grid
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask, place_given
from medunsup.preprocess.brain_extraction.intensities import TissueLook
from medunsup.preprocess.brain_extraction.surface import grow_through_fluid
from medunsup.preprocess.registration.coarse_search import rotation


@pytest.fixture(scope="module")
def upright(known_head):
    step = Step("brain_mask")
    mask, registration = brain_mask(known_head.scan, step=step)
    return mask, registration, step


def test_a_whole_head_is_not_taken_for_a_stripped_one(upright, known_head):
    mask, registration, step = upright
    assert step.findings["already_stripped"] is False
    assert step.findings["reaches_bone"] is True
    assert registration.fits
    assert not step.warnings
    assert known_head.dice(mask) > 0.95


@pytest.mark.parametrize(
    "contrast", ["T2w", *(pytest.param(name, marks=pytest.mark.slow) for name in ("FLAIR", "PD"))]
)
def test_every_contrast_gets_a_mask(head_maker, contrast):
    head = head_maker(contrast)
    mask, registration = brain_mask(head.scan, step=Step("brain_mask"))
    assert registration.fits
    assert head.dice(mask) > 0.93


@pytest.mark.slow  # the oblique grid below is turned as well
@pytest.mark.parametrize(
    "turn",
    [(30, 0, 0), (-30, 0, 0), (0, 30, 0), (0, 0, 30)],
)
def test_turning_the_head_by_30_degrees_changes_little(head_maker, upright, known_head, turn):
    head = head_maker(turn_deg=turn)
    mask, _ = brain_mask(head.scan, step=Step("brain_mask"))
    assert head.dice(mask) == pytest.approx(known_head.dice(upright[0]), abs=0.01)


def test_thick_slices_cost_little(head_maker):
    head = head_maker(spacing_mm=(1.5, 1.5, 6.0))
    mask, registration = brain_mask(head.scan, step=Step("brain_mask"))
    assert registration.fits
    assert head.dice(mask) > 0.93


@pytest.mark.parametrize(
    ("background", "noise"), [*(pytest.param(n, 0, marks=pytest.mark.slow) for n in (0, -40)), (0, 2)]
)
def test_a_stripped_scan_keeps_its_own_region(known_head, background, noise):
    step = Step("brain_mask")
    bare = known_head.stripped(background, noise)
    mask, registration = brain_mask(bare.scan, step=step)
    assert step.findings["already_stripped"] is True
    assert registration.fits
    assert bare.dice(mask) > (0.99 if noise == 0 else 0.97)


def test_holes_inside_a_stripped_brain_are_filled(known_head):
    bare = known_head.stripped()
    center = tuple(slice(n // 2 - 2, n // 2 + 2) for n in bare.scan.shape)
    data = bare.scan.data.copy()
    data[center] = 0
    mask, _ = brain_mask(bare.scan.like(data), step=Step("brain_mask"))
    assert mask.data[center].all() == bare.brain.data[center].all()


@pytest.mark.parametrize("axes", ["PIR", pytest.param("LPS", marks=pytest.mark.slow)])
def test_storage_order_does_not_change_the_mask(known_head, upright, axes):
    stored = reread(known_head.scan, axes)
    mask, registration = brain_mask(stored, step=Step("brain_mask"))
    np.testing.assert_array_equal(mask.data, upright[0].data)
    np.testing.assert_allclose(registration.template_to_scan, upright[1].template_to_scan, atol=1e-6)


def test_an_oblique_grid_shows_the_same_brain(head_maker):
    affine = np.eye(4)
    affine[:3, :3] = rotation(18, -8, 6) * 3.0
    affine[:3, 3] = affine[:3, :3] @ np.full(3, -39.5) + (0, 0, -10)
    head = head_maker(grid=Grid((80, 80, 80), affine))
    mask, registration = brain_mask(head.scan, step=Step("brain_mask"))
    assert registration.fits
    assert head.dice(mask) > 0.95


def test_intensity_scale_and_offset_do_not_change_the_mask(known_head, upright):
    other = known_head.scan.like(known_head.scan.data * 37 + 1000)
    mask, _ = brain_mask(other, step=Step("brain_mask"))
    agreement = 2 * (mask.data & upright[0].data).sum() / (mask.data.sum() + upright[0].data.sum())
    assert agreement > 0.999


def test_a_surface_that_makes_no_sense_falls_back_to_the_registered_mask(known_head, monkeypatch):
    from medunsup.preprocess.brain_extraction import brain_mask as module

    def tiny(*words):
        surface = fit(*words)
        only_a_corner = np.zeros_like(surface.fitted)
        only_a_corner[:5, :5, :5] = True
        return module.Surface(surface.work, surface.registered, only_a_corner)

    fit = module.fit_surface
    monkeypatch.setattr(module, "fit_surface", tiny)
    step = Step("brain_mask")
    mask, _ = brain_mask(known_head.scan, step=step)
    assert step.outcome == "degraded"
    assert "registered MNI mask" in step.warnings[0]
    assert known_head.dice(mask) > 0.9


def test_a_head_the_template_does_not_fit_still_gets_a_mask_and_a_warning(known_head, monkeypatch):
    from medunsup.preprocess.registration import affine

    monkeypatch.setattr(affine, "_problems", lambda *_: ["nothing fits"])
    step = Step("brain_mask")
    mask, registration = brain_mask(known_head.scan, step=step)
    assert not registration.fits
    assert registration.kind == "moments"
    assert step.outcome == "degraded"
    assert len(step.warnings) == 2
    assert known_head.dice(mask) > 0.8


def test_pure_noise_is_never_passed_off_as_a_brain():
    noise = np.random.default_rng(0).normal(100, 10, (64, 72, 64)).astype(np.float32)
    scan = Volume(noise, np.diag([3.0, 3.0, 3.0, 1.0]))
    step = Step("brain_mask")
    _, registration = brain_mask(scan, step=step)
    assert not registration.fits
    assert step.outcome == "degraded"


def test_an_image_without_any_depth_ends_in_an_error_that_says_what_to_do():
    thin = np.zeros((40, 40, 40), dtype=np.float32)
    thin[18:21] = 100
    with pytest.raises(StepError, match="give a mask"):
        brain_mask(Volume(thin, np.diag([3.0, 3.0, 3.0, 1.0])), step=Step("brain_mask"))


@pytest.mark.parametrize(("fluid", "grows"), [(40.0, True), (12.0, False)])
def test_the_mask_grows_through_fluid_only_where_it_can_be_told_from_bone(fluid, grows):
    away = np.linalg.norm(np.indices((40, 40, 40)) - 19.5, axis=0) * 2
    brain = away < 24
    scan = np.where(brain, 70, np.where(away < 30, fluid, 10)).astype(np.float32)
    look = TissueLook((70.0, 100.0, fluid), (5.0, 5.0, 5.0), scan, np.ones_like(scan))
    grown = grow_through_fluid(look, brain, (2.0, 2.0, 2.0))
    assert (grown.sum() > 1.3 * brain.sum()) == grows
    assert not (grown & (away > 32)).any()


@pytest.mark.slow
@pytest.mark.parametrize("pad", [((7, 0), (3, 4), (20, 11))])
def test_an_empty_margin_of_any_width_changes_no_voxel_of_the_mask(known_head, upright, pad):
    affine = known_head.scan.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ [low for low, _ in pad]
    wide = Volume(np.pad(known_head.scan.data, pad), affine)
    mask, registration = brain_mask(wide, step=Step("brain_mask"))
    assert mask.data.sum() == upright[0].data.sum()
    inner = tuple(slice(low, low + size) for (low, _), size in zip(pad, known_head.scan.shape, strict=True))
    np.testing.assert_array_equal(mask.data[inner], upright[0].data)
    np.testing.assert_allclose(registration.template_to_scan, upright[1].template_to_scan, atol=1e-6)


@pytest.mark.slow
def test_still_air_changes_little(known_head, upright):
    near = ndimage.binary_dilation(known_head.brain.data, iterations=4)
    still = np.where(near | (known_head.scan.data > 25), known_head.scan.data, 0).astype(np.float32)
    step = Step("brain_mask")
    mask, _ = brain_mask(known_head.scan.like(still), step=step)
    assert step.findings["already_stripped"] is False
    assert 2 * (mask.data & upright[0].data).sum() / (mask.data.sum() + upright[0].data.sum()) > 0.99


@pytest.mark.slow
def test_of_a_mask_that_is_given_it_is_told_whether_the_skull_was_gone(known_head):
    small = known_head.brain.like(ndimage.binary_erosion(known_head.brain.data, iterations=2), kind="mask")
    still = np.where(known_head.scan.data > 25, known_head.scan.data, 0).astype(np.float32)
    for mask in (known_head.brain, small):
        assert place_given(known_head.stripped().scan, mask, step=Step("brain_mask")).is_stripped
    found = place_given(known_head.scan.like(still), known_head.brain, step=Step("brain_mask"))
    assert not found.is_stripped


def test_asking_for_the_own_region_of_a_whole_head_is_refused(known_head):
    with pytest.raises(StepError, match="does not look skull-stripped"):
        brain_mask(known_head.scan, method="stripped", step=Step("brain_mask"))


def test_an_unknown_method_is_named_with_the_known_ones(known_head):
    with pytest.raises(UsageError, match=r"'bet'.*atlas"):
        brain_mask(known_head.scan, method="bet", step=Step("brain_mask"))


def test_neither_torch_nor_nilearn_is_imported():
    code = (
        "import sys, medunsup.preprocess.brain_extraction.brain_mask;"
        "from medunsup.preprocess.geometry.template import load_template;"
        "load_template(); heavy = ('torch', 'nilearn', 'monai', 'sklearn', 'pandas');"
        "print(*[name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
