"""The maps inside the page: in place, in few bytes."""

import base64
import gzip
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medunsup.core.volume import Volume
from medunsup.report.base import viewer as viewer_module
from medunsup.report.base.embed import as_nifti, coarsening, coarser
from medunsup.report.base.viewer import Viewer, niivue_code, viewer
from medunsup.report.segment.page import write_page
from medunsup.tissue.result import TissueResult

ROOM = 3_500_000


def embedded(packed: Viewer, key: str) -> nibabel.Nifti1Image:
    (text,) = (item.base64 for item in packed.maps if item.key == key)
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def middle_mm(image: nibabel.Nifti1Image, part: np.ndarray) -> np.ndarray:
    return nibabel.affines.apply_affine(image.affine, np.argwhere(part)).mean(axis=0)


def noise(result: TissueResult, size: int, spacing_mm: float) -> TissueResult:
    """Pure noise, which no compression makes smaller."""
    data = np.random.default_rng(0).random((size,) * 3, dtype=np.float32)
    image = Volume(data, np.diag([spacing_mm] * 3 + [1.0]))
    inside = np.ones(data.shape, bool)
    return replace(
        result,
        image=image,
        brain_mask=image.like(inside, "mask"),
        labels=image.like((data * 3).astype(np.uint8) + np.uint8(1), "label"),
        uncertainty=image.like(data, "score"),
    )


def test_the_embedded_maps_lie_where_the_scan_lies(only_the_mark: TissueResult) -> None:
    packed = viewer(only_the_mark, ROOM)
    assert packed is not None
    there = middle_mm(
        nibabel.Nifti1Image(only_the_mark.image.data, only_the_mark.image.affine),
        only_the_mark.image.data > 1000,
    )
    scan = embedded(packed, "scan")
    data = np.asarray(scan.dataobj)
    assert np.allclose(middle_mm(scan, data == data.max()), there, atol=1e-3)
    labels = embedded(packed, "tissues")
    assert labels.shape == scan.shape
    for index in (1, 2, 3):
        expected = middle_mm(labels, np.asarray(labels.dataobj) == index)
        true = nibabel.Nifti1Image(only_the_mark.labels.data, only_the_mark.labels.affine)
        assert np.allclose(expected, middle_mm(true, only_the_mark.labels.data == index), atol=1e-3)


def test_cropping_to_the_brain_moves_nothing(only_the_mark_padded: TissueResult) -> None:
    packed = viewer(only_the_mark_padded, ROOM)
    assert packed is not None
    scan, whole = embedded(packed, "scan"), only_the_mark_padded.image
    assert scan.shape[0] < whole.shape[0]
    there = middle_mm(nibabel.Nifti1Image(whole.data, whole.affine), whole.data > 1000)
    assert np.allclose(middle_mm(scan, np.asarray(scan.dataobj) > 200), there, atol=1e-3)


def test_an_ordinary_scan_keeps_its_own_voxels(result: TissueResult) -> None:
    packed = viewer(result, ROOM)
    assert packed is not None
    assert not packed.is_coarser
    assert packed.spacing_mm == result.image.spacing_mm


def test_a_scan_too_big_for_the_page_is_made_coarser_and_says_so(
    result: TissueResult, tmp_path: Path
) -> None:
    big = noise(result, 150, 0.8)
    packed = viewer(big, ROOM)
    assert packed is not None
    assert packed.is_coarser
    assert min(packed.spacing_mm) > 0.8
    assert len(packed.code) + sum(len(item.base64) for item in packed.maps) <= ROOM
    page = write_page(big, tmp_path / "report.html")
    assert page.stat().st_size < 5_000_000
    assert "was made coarser" in page.read_text("utf-8")


def test_a_coarser_copy_stays_in_place() -> None:
    factors = (1.7, 1.0, 2.3)
    axes = np.meshgrid(*(np.arange(size) for size in (40, 30, 46)), indexing="ij")
    ball = (sum((axis - middle) ** 2 for axis, middle in zip(axes, (15, 12, 25), strict=True)) < 80) * 200
    affine = np.diag([1.2, 2.0, 0.9, 1.0])
    copy = nibabel.Nifti1Image.from_bytes(
        gzip.decompress(as_nifti(coarser(ball.astype(np.uint8), factors), affine, factors))
    )
    before = middle_mm(nibabel.Nifti1Image(ball.astype(np.uint8), affine), ball > 0)
    assert np.allclose(middle_mm(copy, np.asarray(copy.dataobj) > 100), before, atol=0.3)


def test_thick_slices_are_not_thickened_further() -> None:
    factors = coarsening((0.5, 0.5, 6.0), voxel_mm3=6.0)
    assert factors == pytest.approx((2.0, 2.0, 1.0), rel=0.01)


def test_niivue_is_found_without_importing_nilearn() -> None:
    assert niivue_code() is not None
    if "nilearn" not in sys.modules:
        niivue_code.cache_clear()
        niivue_code()
        assert "nilearn" not in sys.modules


def test_without_niivue_the_page_is_whole_but_for_the_viewer(
    result: TissueResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_module, "niivue_code", lambda: None)
    text = write_page(result, tmp_path / "report.html").read_text("utf-8")
    assert "The viewer was left out" in text
    assert "<canvas" not in text
    assert "Hard-label volume" in text
