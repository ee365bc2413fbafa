"""The steps between reading a scan and fitting: masks, further contrasts, the box, the contrast's name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import phantom

from medunsup.cohort.further_contrasts import load_contrasts, refuse_twice
from medunsup.cohort.reading import by_contrast, load_mask, told_contrast_of
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.core.errors import GeometryError, InputError, StepError, UsageError
from medunsup.core.record import Step
from medunsup.core.volume import Source
from medunsup.io.load import load
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.intensity.contrast import (
    NamedContrast,
    contrast_of_medians,
    name_contrast,
    tissue_medians,
)


@pytest.fixture
def scan(make_scan):
    return load(make_scan())


def test_a_box_holds_the_mask_at_its_own_place_in_the_world(small_brain):
    mask = small_brain.mask
    box = Box.around(mask.data)
    part = box.take(mask)
    assert part.data.sum() == mask.data.sum()
    voxel = np.argwhere(part.data)[0]
    whole = voxel + [piece.start for piece in box.slices]
    assert np.allclose(part.affine @ [*voxel, 1], mask.affine @ [*whole, 1])
    assert (box.put_back(part.data) == mask.data).all()


def test_an_empty_mask_is_refused():
    with pytest.raises(StepError, match="`mask`"):
        Box.around(np.zeros((3, 3, 3), dtype=bool))


def test_what_lies_outside_the_box_continues_its_border():
    mask = np.zeros((7, 7, 7), dtype=bool)
    mask[3, 3, 3] = True
    box = Box.around(mask, margin=0)
    assert (box.extend(np.full((1, 1, 1), 2.5)) == 2.5).all()


def _overshooting(mask):
    return mask + np.random.default_rng(0).uniform(-0.1, 0.1, mask.shape)


@pytest.mark.parametrize(
    "as_stored",
    [np.float64, lambda mask: mask * 255.0, lambda mask: mask * 0.9 + 0.05, _overshooting],
)
def test_a_mask_of_ones_of_255_or_of_probabilities_is_the_same_mask(small_brain, scan, tmp_path, as_stored):
    stored = small_brain.mask.like(np.asarray(as_stored(small_brain.mask.data)), kind="image")
    path = phantom.save(stored, tmp_path / "mask.nii.gz", axes="LPS")
    assert (load_mask(path, scan, Step("mask")).data == small_brain.mask.data).all()


def test_a_mask_on_another_grid_is_resampled_and_that_is_told(scan, tmp_path):
    finer = phantom.make_anatomy(spacing_mm=(3, 3, 3))
    path = phantom.save(finer.mask, tmp_path / "mask.nii.gz")
    step = Step("mask")
    mask = load_mask(path, scan, step)
    same = (mask.data == (scan.data > 0)).mean()
    assert same > 0.97
    assert "resampled" in step.warnings[0]
    assert step.findings["mask resampled"]["from_shape"] == list(finer.mask.shape)


@pytest.mark.parametrize("shades", [256, 10_000])
def test_a_scan_is_not_taken_for_a_mask(small_brain, scan, tmp_path, shades):
    image = small_brain.image("T1w", seed=1)
    grey = np.rint(image.data * small_brain.mask.data * shades / image.data.max())
    path = phantom.save(image.like(grey), tmp_path / "other.nii.gz")
    with pytest.raises(InputError, match=r"other\.nii\.gz: holds grey values.* no mask"):
        load_mask(path, scan, Step("mask"))


def test_labels_are_taken_for_a_mask(small_brain, scan, tmp_path):
    left = np.indices(small_brain.mask.shape)[0] < small_brain.mask.shape[0] // 2
    labels = small_brain.mask.like((1 + 40 * left) * small_brain.mask.data, kind="label")
    path = phantom.save(labels, tmp_path / "labels.nii.gz", dtype=np.uint8)
    assert (load_mask(path, scan, Step("mask")).data == small_brain.mask.data).all()


@pytest.mark.parametrize("scale", [1, 0.1, 0.9995, 40])
def test_labels_are_a_mask_whatever_they_are_scaled_by(small_brain, scan, tmp_path, scale):
    third = np.indices(small_brain.mask.shape)[0] * 3 // small_brain.mask.shape[0]
    labels = small_brain.mask.like((1 + third) * small_brain.mask.data * scale, kind="image")
    path = phantom.save(labels, tmp_path / "labels.nii.gz")
    assert (load_mask(path, scan, Step("mask")).data == small_brain.mask.data).all()


def test_labels_below_0_are_refused(small_brain, scan, tmp_path):
    third = np.indices(small_brain.mask.shape)[0] * 3 // small_brain.mask.shape[0]
    labels = small_brain.mask.like((1 + third) * small_brain.mask.data - 1, kind="image")
    path = phantom.save(labels, tmp_path / "labels.nii.gz")
    with pytest.raises(InputError, match=r"labels below 0 \(-1\)"):
        load_mask(path, scan, Step("mask"))


def test_a_mask_of_another_place_is_refused(small_brain, scan, tmp_path):
    away = small_brain.affine.copy()
    away[:3, 3] += 1000
    from medunsup.core.volume import Volume

    path = phantom.save(Volume(small_brain.mask.data, away, "mask"), tmp_path / "mask.nii.gz")
    with pytest.raises(GeometryError, match="overlap"):
        load_mask(path, scan, Step("mask"))


def test_a_further_contrast_lands_on_the_scans_grid_whatever_its_axes(make_scan, small_brain, scan):
    path = make_scan("t2.nii.gz", contrast="T2w", axes="PIR")
    step = Step("contrasts")
    further = load_contrasts({"T2w": path}, scan, small_brain.mask, step)[0]["T2w"]
    truth = small_brain.image("T2w").data * small_brain.mask.data
    assert np.allclose(further.data, truth, atol=1e-3)
    assert step.warnings == []
    assert step.findings["T2w file"] == "t2.nii.gz"


def test_an_unknown_contrast_is_refused():
    with pytest.raises(UsageError, match="FLAIR"):
        by_contrast({"MPRAGEX": "scan.nii.gz"})


def test_contrasts_are_named_in_any_of_their_ways_but_once():
    assert by_contrast({"t2": 1, "flair": 2}) == {"T2w": 1, "FLAIR": 2}
    with pytest.raises(UsageError, match="T2w is given twice"):
        by_contrast({"t2": 1, "T2w": 2})


@pytest.mark.parametrize("contrast", ["T1w", "T2w", "FLAIR"])
def test_the_brightness_of_the_tissues_tells_the_contrast(small_brain, contrast):
    medians = tissue_medians(small_brain.image(contrast).data, small_brain.fractions[:3])
    assert contrast_of_medians(medians) == contrast


def _named(settings, name, notes, seen, small_brain, beside="PD"):
    source, step = Source(name, "nifti", small_brain.mask.grid, notes=notes), Step("contrast")
    request = ScanRequest(Path(name), ReadSettings(**settings), contrasts={beside: Path("x.nii.gz")})
    image = replace(small_brain.image(seen), source=source)
    own = name_contrast(told_contrast_of(request, image), image.data, small_brain.fractions[:3], step)
    refuse_twice(request, own)
    return own, step


def test_the_option_wins_then_the_header_then_the_name_then_the_intensities(small_brain):
    def first(settings, name, notes):
        own, _ = _named(settings, name, notes, "FLAIR", small_brain, beside="T1w")
        return own.name, own.source

    assert first({"contrast": "PD"}, "a_T2w.nii.gz", {"contrast": "FLAIR"}) == ("PD", "option")
    assert first({}, "a_T2w.nii.gz", {"contrast": "FLAIR"}) == ("FLAIR", "header")
    assert first({}, "a_T2w.nii.gz", {}) == ("T2w", "file name")
    assert first({}, "scan.nii.gz", {}) == ("FLAIR", "intensities")


def test_a_contrast_that_nothing_tells_is_assumed_with_a_warning(small_brain):
    step = Step("contrast")
    own = name_contrast(None, small_brain.image("T1w").data, None, step)
    assert own.is_assumed
    assert own.name == "T1w"
    assert "could not be told" in step.warnings[0]


@pytest.mark.parametrize(
    ("settings", "name", "notes", "how"),
    [
        ({"contrast": "T1w"}, "a_T2w.nii.gz", {}, "option"),
        ({}, "a_T2w.nii.gz", {"contrast": "T1w"}, "header"),
        ({}, "a_T1w.nii.gz", {}, "file name"),
        ({}, "scan.nii.gz", {}, "intensities"),
    ],
)
def test_the_scans_own_contrast_is_not_taken_a_second_time(settings, name, notes, how, small_brain):
    with pytest.raises(UsageError, match=rf"taken as T1w itself \({how}\), and x\.nii\.gz is given as T1w"):
        _named(settings, name, notes, "T1w", small_brain, beside="T1w")


def test_a_name_that_the_intensities_contradict_is_told(small_brain):
    _, agreeing = _named({}, "a_T1w.nii.gz", {}, "T1w", small_brain)
    _, contradicting = _named({}, "a_T1w.nii.gz", {}, "T2w", small_brain)
    assert agreeing.warnings == []
    assert "T2w" in contradicting.warnings[0]


@pytest.mark.parametrize(("told", "seen"), [("T1w", "FLAIR"), ("FLAIR", "T1w"), ("PD", "T1w")])
@pytest.mark.parametrize(("apart", "is_told"), [(0.05, False), (0.3, True)])
def test_grey_and_white_that_lie_close_contradict_no_name(told, seen, apart, is_told, small_brain):
    gm, wm = (1.0 - apart, 1.0) if seen == "T1w" else (1.0, 1.0 - apart)
    step = Step("contrast")
    priors = small_brain.fractions[:3]
    intensity = np.einsum("t,tijk->ijk", [gm, wm, 0.0], np.round(priors)).astype(np.float32)
    name_contrast(NamedContrast(told, "file name"), intensity, priors, step)
    assert bool(step.warnings) == is_told
