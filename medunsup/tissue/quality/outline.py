"""Is the brain mask whole, and nothing but the brain? Its shape, what it leaves out, what it takes in."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from medunsup.preprocess.geometry.morphology import dice, fill_holes
from medunsup.tissue.quality.sample import Array, Atlas, Mask, Sample

CONSTANT_SHARE = 0.9
BOUNDARY_MM = 4.0
FAR_MM = 6.0
ENOUGH_VOXELS = 50
FACES = ("left", "right", "back", "front", "bottom", "top")
MANY_TIMES_PERCENT = 1000  # beyond it percent are no help
Found = tuple[dict[str, float], dict[str, str]]


def of_shape(sample: Sample) -> Found:
    """Loose pieces, holes, and how flat the mask ends on its flattest face; needs no template."""
    n_voxels = int(sample.mask.sum())
    pieces, _ = ndimage.label(sample.mask, structure=np.ones((3, 3, 3)))
    largest = int(np.bincount(pieces.ravel())[1:].max())
    filled = int(fill_holes(sample.mask).sum())
    face, share = max(_end_faces(sample.mask), key=lambda item: item[1])
    return {
        "mask_pieces_percent": _percent(n_voxels - largest, n_voxels),
        "mask_holes_percent": _percent(filled - n_voxels, n_voxels),
        "mask_flat_face_percent": 100 * share,
    }, {"face": face}


def of_background(sample: Sample) -> Found:
    """Of a stripped scan in one constant: empty voxels within the mask, filled ones without."""
    if not sample.knows_surroundings:
        return {}, {}
    faces = np.concatenate([sample.scan.take(n, axis).ravel() for axis in range(3) for n in (0, -1)])
    is_empty = np.abs(sample.scan - np.median(faces)) < 1e-5
    if is_empty[~sample.mask].mean() < 0.5 or not _is_constant(faces):
        return {}, {}
    n_voxels = int(sample.mask.sum())
    left_out = _percent(int((~is_empty & ~sample.mask).sum()), n_voxels)
    amount = "more than 10 times" if left_out > MANY_TIMES_PERCENT else f"{left_out:.0f} % of"
    return {
        "mask_empty_percent": _percent(int((is_empty & sample.mask).sum()), n_voxels),
        "left_out_percent": left_out,
    }, {"left_out": f"{amount} the mask's volume"}


def of_overlap(sample: Sample, atlas: Atlas) -> Found:
    """Find what the mask leaves out of the template's brain, region by region, and takes in far from it."""
    mask = sample.mask
    tissue = atlas.brain & (atlas.gm + atlas.wm > 0.5)
    missing = tissue & ~mask
    shares = {
        name: _percent(int((missing & here).sum()), int(here.sum()))
        for name, here in _regions(atlas, tissue)
        if here.sum() >= ENOUGH_VOXELS
    }
    worst = max(shares, key=lambda name: shares[name], default="")
    distance = ndimage.distance_transform_edt(~atlas.brain, sampling=sample.spacing_mm)
    return {
        "atlas_in_view_percent": 100 * atlas.in_view,
        "atlas_overlap_dice": dice(mask, atlas.brain),
        "brain_missing_percent": _percent(int(missing.sum()), int(tissue.sum())),
        "region_missing_percent": shares.get(worst, 0.0),
        "mask_far_outside_percent": _percent(int((mask & (distance > FAR_MM)).sum()), int(mask.sum())),
    }, {"region": worst}


def of_boundary(sample: Sample, gm: float, wm: float, csf: float) -> dict[str, float]:
    """Tell what the outermost 4 mm of the mask look like.

    `gm`, `wm`, `csf` are the tissues' intensities. A whole brain's boundary is mostly fluid; a scalp's fat is
    brighter than any tissue on T1w.
    """
    boundary = sample.mask & (
        ndimage.distance_transform_edt(sample.mask, sampling=sample.spacing_mm) <= BOUNDARY_MM
    )
    contrast = abs(wm - gm)
    inner = sample.scan[boundary]
    is_fluid = np.abs(inner - csf) < np.abs(inner - gm)
    is_bright = inner > max(gm, wm, csf) + contrast
    return {
        "boundary_fluid_percent": _percent(int(is_fluid.sum()), inner.size),
        "boundary_bright_percent": _percent(int(is_bright.sum()), inner.size),
    }


def _end_faces(mask: Mask) -> Iterator[tuple[str, float]]:
    """Area of the mask's first and last plane along each axis, as a share of its largest plane."""
    for axis in range(3):
        if mask.shape[axis] < 3:
            continue
        area = mask.sum(axis=tuple({0, 1, 2} - {axis}))
        used = np.flatnonzero(area)
        yield FACES[2 * axis], float(area[used[0]] / area.max())
        yield FACES[2 * axis + 1], float(area[used[-1]] / area.max())


def _regions(atlas: Atlas, tissue: Mask) -> Iterator[tuple[str, Mask]]:
    """Cut the template's brain into twelve named parts by planes in template mm; rough, to name a place."""
    x, y, z = atlas.position_mm
    tests = {
        "cerebellum and brain stem": (z < -12) & (y < -28),
        "top of the brain": z > 42,
        "frontal pole": y > 22,
        "occipital pole": y < -58,
        "temporal lobe": z < -6,
        "middle of the brain": np.ones_like(tissue),
    }
    rest = tissue.copy()
    for name, test in tests.items():
        here = rest & test
        rest &= ~here
        yield f"left {name}", here & (x < 0)
        yield f"right {name}", here & (x >= 0)


def _is_constant(faces: Array) -> bool:
    return bool((np.abs(faces - np.median(faces)) < 1e-5).mean() > CONSTANT_SHARE)


def _percent(part: float, whole: float) -> float:
    return 100 * float(part) / max(float(whole), 1.0)
