"""deepbet's mask is grown up to the bone, and never kept where it makes no sense."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest

from medunsup.core.errors import DependencyError
from medunsup.core.record import Step
from medunsup.core.volume import Volume, to_ras
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask
from medunsup.preprocess.brain_extraction.deepbet_mask import fill_to_bone
from medunsup.preprocess.geometry.morphology import erode
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration

FLUID = 52  # what the averaged fluid of the template comes to, between CSF and GM


@pytest.fixture(scope="module")
def shrunken(head_maker):
    """A head whose frontal lobes have shrunk by 10 mm, and a mask that takes in half of the fluid there."""
    head = head_maker(spacing_mm=(2.0, 2.0, 2.0))
    inside, spacing = head.brain.data, head.scan.spacing_mm
    frontal = np.indices(inside.shape)[1] > inside.shape[1] // 2
    fluid = inside & frontal & ~erode(inside, 10.0, spacing)
    noise = np.random.default_rng(0).normal(0, 3, inside.shape)
    data = np.where(fluid, FLUID + noise, head.scan.data).astype(np.float32)
    tight = inside & ~(frontal & ~erode(inside, 5.0, spacing))
    return replace(head, scan=head.scan.like(data)), tight


def stand_in(monkeypatch, mask):
    """A package deepbet that returns a known mask."""

    def run_bet(scans, mask_paths, **_):
        image = nibabel.Nifti1Image(mask.astype(np.uint8), nibabel.load(scans[0]).affine)
        nibabel.save(image, mask_paths[0])

    monkeypatch.setitem(sys.modules, "deepbet", SimpleNamespace(run_bet=run_bet))


def test_a_mask_that_reaches_the_bone_stays_as_it_is(known_head):
    registration = Registration(known_head.template_to_scan, 1.0, fits=True)
    filled = fill_to_bone(known_head.scan, known_head.brain, registration, load_template())
    assert known_head.dice(known_head.brain.like(filled)) > 0.98


def test_fluid_that_deepbet_left_out_is_taken_in(shrunken, monkeypatch):
    head, tight = shrunken
    stand_in(monkeypatch, tight)
    step = Step("brain_mask")
    mask, registration = brain_mask(head.scan, method="deepbet", step=step)
    left_out = head.brain.data & ~tight
    assert registration.fits
    assert not step.warnings
    assert mask.data[left_out].mean() > 0.85
    assert head.dice(mask) > 0.98


@pytest.mark.slow
def test_an_implausible_mask_of_deepbet_gives_way_to_the_atlas(known_head, monkeypatch):
    stand_in(monkeypatch, np.zeros(known_head.scan.shape))
    step = Step("brain_mask")
    mask, _ = brain_mask(known_head.scan, method="deepbet", step=step)
    assert step.outcome == "degraded"
    assert step.findings["method"] == "atlas"
    assert known_head.dice(mask) > 0.95


def test_a_missing_deepbet_names_its_extra(known_head, monkeypatch):
    monkeypatch.setitem(sys.modules, "deepbet", None)
    with pytest.raises(DependencyError, match=r"'\.\[deepbet\]'"):
        brain_mask(known_head.scan, method="deepbet", step=Step("brain_mask"))


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["simulated01", "simulated05"])
def test_deepbet_finds_the_inside_of_the_skull(data_dir, name):
    pytest.importorskip("deepbet", reason="needs the extra [deepbet]")
    head, truth = (read(data_dir / "heads" / f"{name}_{kind}.nii.gz") for kind in ("T1w", "intracranial"))
    step = Step("brain_mask")
    mask, _ = brain_mask(head, method="deepbet", step=step)
    dice = 2 * (mask.data & (truth.data > 0)).sum() / (mask.data.sum() + (truth.data > 0).sum())
    assert dice >= 0.97
    assert not step.warnings


def read(path):
    image = nibabel.load(path)
    data, affine, _, _ = to_ras(np.asarray(image.dataobj, dtype=np.float32), image.affine)
    return Volume(np.ascontiguousarray(data), affine)
