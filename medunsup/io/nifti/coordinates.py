"""Decide which of a NIfTI header's coordinate systems places the voxels in the world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.core.errors import GeometryError
from medunsup.core.geometry import Affine, Grid, distance_mm
from medunsup.core.hints import both, option
from medunsup.io.nifti.units import MM, Unit, unit_of
from medunsup.io.notes import Notes

CONFLICT_MM = 0.1
SAME_SPACING = 0.01  # relative
SPACING_MM = (0.01, 100.0)
SHEAR_DEGREES = 0.1
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

    Lengths in metres or micrometres are turned into mm, which is noted. A conflict between sform and qform
    of more than 0.1 mm is logged and noted once. An sform whose voxel size is not the header's own (a fit to
    a template) would falsify volumes: then the qform is taken.

    Raises GeometryError if neither system is usable or the voxel size is impossible.
    """
    unit = unit_of(header)
    sform = _Candidate("sform", int(header["sform_code"]), unit.affine_mm(header.get_sform()))
    qform = _Candidate("qform", int(header["qform_code"]), unit.affine_mm(_qform(header)))
    chosen = _choose(path, header, sform, qform, shape, asked, notes)
    notes["coordinates"] = chosen.name
    lengths = np.linalg.norm(chosen.affine[:3, :3], axis=0)
    check_voxel_size(path, lengths, unit)
    if unit.mm != 1:
        notes["unit"] = unit.name
        notes.warn(path, f"the header gives lengths in {unit.words}: read as voxels of {_sizes(lengths)} mm.")
    return chosen.affine


def check_voxel_size(path: Path, lengths_mm: Any, unit: Unit = MM) -> None:
    """Raise GeometryError unless the three lengths could be those of a voxel; their sign does not matter.

    `unit` is the one that the header gives them in.
    """
    lengths = np.abs(np.asarray(lengths_mm, dtype=float))
    if np.isfinite(lengths).all() and lengths.min() >= SPACING_MM[0] and lengths.max() <= SPACING_MM[1]:
        return
    told = f"a voxel of {_sizes(lengths)} mm cannot be right"
    if unit.mm == 1:
        raise GeometryError(
            f"{path}: {told} (header fields pixdim and xyzt_units). "
            "Convert the scan again from its DICOM files, or correct its header with nibabel."
        )
    raise GeometryError(
        f"{path}: {told}; the header gives {_sizes(lengths / unit.mm)} {unit.words}. If the numbers are mm, "
        "correct the unit with nibabel: image.header.set_xyzt_units('mm')."
    )


def note_shear(path: Path, affine: Affine, notes: Notes) -> None:
    """Warn once of voxel axes that are not at right angles; the affine is used as it is."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = (axes.T @ axes)[np.triu_indices(3, 1)]
    off = float(np.degrees(np.arcsin(np.clip(np.abs(cosines).max(), 0, 1))))
    if off > SHEAR_DEGREES:
        notes["shear_degrees"] = round(off, 2)
        notes.warn(
            path,
            f"the axes of the voxels are sheared, up to {off:.1f}° off a right angle, as an affine fit to "
            "another image leaves them. Volumes hold; the head itself is deformed. For a person's own "
            "shape, give the scan as it came.",
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
        _note_conflict(sform, qform, shape, notes)
        if not wanted.usable:
            raise GeometryError(
                f"{path}: has no usable {asked} (its code is {wanted.code}). "
                f"Leave out {option('coordinates')}."
            )
        return wanted
    usable = [candidate for candidate in (sform, qform) if candidate.usable]
    if not usable:
        return _without(path, header, sform, qform, notes)
    if sform.code > 0 and not sform.usable:
        notes.warn(path, "the sform is singular, so the qform is used.")
    if len(usable) == 2:
        return _settle(path, header, sform, qform, shape, notes)
    if usable[0] is sform and _rescales(header, sform):
        notes.warn(
            path,
            f"the sform makes voxels of {_sizes(_lengths(sform))} mm, the header's pixdim of "
            f"{_sizes(_pixdim_mm(header))} mm, and there is no qform; the sform is used.",
        )
    return usable[0]


def _settle(
    path: Path, header: Any, sform: _Candidate, qform: _Candidate, shape: tuple[int, int, int], notes: Notes
) -> _Candidate:
    """Pick between two usable systems, with a warning where they disagree."""
    gap = _note_conflict(sform, qform, shape, notes)
    if gap <= CONFLICT_MM:
        return sform
    rescales = _rescales(header, sform)
    chosen, other = (qform, sform) if rescales else (sform, qform)
    why = " because the sform changes the voxel size" if rescales else ""
    notes.warn(
        path,
        f"sform and qform disagree by up to {gap:.1f} mm; the {chosen} is used{why}. "
        f"Pass {both('coordinates', other.name)} to take the {other} instead.",
    )
    return chosen


def _note_conflict(sform: _Candidate, qform: _Candidate, shape: tuple[int, int, int], notes: Notes) -> float:
    """Return how far two usable systems lie apart, in mm, and note it if they disagree."""
    if not (sform.usable and qform.usable):
        return 0.0
    gap = distance_mm(Grid(shape, sform.affine), Grid(shape, qform.affine))
    if gap > CONFLICT_MM:
        notes["coordinates_conflict_mm"] = round(gap, 3)
    return gap


def _rescales(header: Any, sform: _Candidate) -> bool:
    """Whether the sform's voxels are of another size than the header's."""
    pixdim = _pixdim_mm(header)
    with np.errstate(divide="ignore", invalid="ignore"):
        return len(pixdim) == 3 and bool(np.any(abs(_lengths(sform) / pixdim - 1) > SAME_SPACING))


def _pixdim_mm(header: Any) -> Any:
    return np.asarray(header.get_zooms()[:3], dtype=float) * unit_of(header).mm


def _lengths(system: _Candidate) -> Any:
    return np.linalg.norm(system.affine[:3, :3], axis=0)


def _sizes(lengths: Any) -> str:
    return " × ".join(f"{length:g}" for length in np.round(lengths, 6))


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
    return _Candidate("none", 0, unit_of(header).affine_mm(header.get_base_affine()))


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
