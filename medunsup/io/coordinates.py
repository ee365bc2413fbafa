"""Decide which of a NIfTI header's coordinate systems places the voxels in the world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.core.errors import GeometryError
from medunsup.core.geometry import Affine, Grid, distance_mm
from medunsup.io.notes import Notes

CONFLICT_MM = 0.1
SAME_SPACING = 0.01  # relative
SPACING_MM = (0.01, 100.0)
CODES = {0: "unknown", 1: "scanner", 2: "aligned", 3: "Talairach", 4: "MNI 152", 5: "template"}


@dataclass(frozen=True)
class _Candidate:
    """One coordinate system of a header: `name` is sform or qform."""

    name: str
    code: int
    affine: Affine

    @property
    def usable(self) -> bool:
        return self.code > 0 and _is_regular(self.affine)

    def __str__(self) -> str:
        return f"{self.name} ({CODES.get(self.code, self.code)})"


def choose_affine(path: Path, header: Any, shape: tuple[int, int, int], asked: str, notes: Notes) -> Affine:
    """Return the affine (4, 4) of a NIfTI header: the sform, unless it is unusable or rescales the head.

    A conflict between sform and qform of more than 0.1 mm is logged and noted once. An sform whose voxel
    size is not the header's own (a fit to a template) would falsify volumes: then the qform is taken.

    Raises GeometryError if neither system is usable or the voxel size is impossible.
    """
    sform = _Candidate("sform", int(header["sform_code"]), np.asarray(header.get_sform(), dtype=float))
    qform = _Candidate("qform", int(header["qform_code"]), _qform(header))
    chosen = _choose(path, header, sform, qform, shape, asked, notes)
    notes["coordinates"] = chosen.name
    check_voxel_size(path, np.linalg.norm(chosen.affine[:3, :3], axis=0))
    return chosen.affine


def check_voxel_size(path: Path, lengths_mm: Any) -> None:
    """Raise GeometryError unless the three lengths could be those of a voxel; their sign does not matter."""
    lengths = np.abs(np.asarray(lengths_mm, dtype=float))
    if not np.isfinite(lengths).all() or lengths.min() < SPACING_MM[0] or lengths.max() > SPACING_MM[1]:
        sizes = " × ".join(f"{length:g}" for length in lengths)
        raise GeometryError(
            f"{path}: a voxel of {sizes} mm cannot be right (header fields pixdim and xyzt_units). "
            "Convert the scan again from its DICOM files, or correct its header with nibabel."
        )


def _choose(
    path: Path,
    header: Any,
    sform: _Candidate,
    qform: _Candidate,
    shape: tuple[int, int, int],
    asked: str,
    notes: Notes,
) -> _Candidate:
    if asked != "auto":
        wanted = sform if asked == "sform" else qform
        if not wanted.usable:
            raise GeometryError(
                f"{path}: has no usable {asked} (its code is {wanted.code}). Leave out --coordinates."
            )
        return wanted
    usable = [candidate for candidate in (sform, qform) if candidate.usable]
    if not usable:
        return _without(path, header, sform, qform, notes)
    if sform.code > 0 and not sform.usable:
        notes.warn(path, "the sform is singular, so the qform is used.")
    if len(usable) == 2:
        return _settle(path, header, sform, qform, shape, notes)
    return usable[0]


def _settle(
    path: Path, header: Any, sform: _Candidate, qform: _Candidate, shape: tuple[int, int, int], notes: Notes
) -> _Candidate:
    """Pick between two usable systems, with a warning where they disagree."""
    gap = distance_mm(Grid(shape, sform.affine), Grid(shape, qform.affine))
    if gap <= CONFLICT_MM:
        return sform
    pixdim = np.asarray(header.get_zooms()[:3], dtype=float)
    spacing = np.array(Grid(shape, sform.affine).spacing_mm)
    rescales = len(pixdim) == 3 and bool(np.any(abs(spacing / pixdim - 1) > SAME_SPACING))
    chosen, other = (qform, sform) if rescales else (sform, qform)
    why = " because the sform changes the voxel size" if rescales else ""
    notes["coordinates_conflict_mm"] = round(gap, 3)
    notes.warn(
        path,
        f"sform and qform disagree by up to {gap:.1f} mm; the {chosen} is used{why}. "
        f"Pass --coordinates {other.name} to take the {other} instead.",
    )
    return chosen


def _without(path: Path, header: Any, sform: _Candidate, qform: _Candidate, notes: Notes) -> _Candidate:
    """Fall back on the voxel size where no system is declared; refuse where one is declared but broken."""
    for candidate in (sform, qform):
        if candidate.code > 0:
            raise GeometryError(
                f"{path}: the {candidate.name} is singular (two axes coincide, or a voxel has no size). "
                "Convert the scan again from its DICOM files, or correct its header with nibabel."
            )
    notes.warn(
        path,
        "the header gives no orientation (sform and qform codes are 0); left and right are a guess. "
        "Convert the scan again from its DICOM files if the side matters.",
    )
    return _Candidate("none", 0, np.asarray(header.get_base_affine(), dtype=float))


def _qform(header: Any) -> Affine:
    try:
        return np.asarray(header.get_qform(), dtype=float)
    except Exception:  # noqa: BLE001  nibabel raises several kinds for an impossible quaternion
        return np.zeros((4, 4))


def _is_regular(affine: Affine) -> bool:
    if not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if np.any(lengths <= 0):
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-3)
