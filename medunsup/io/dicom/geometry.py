"""Put the slices of a series in order and in space with highdicom; refuse what is not a regular stack."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from highdicom.spatial import create_affine_matrix_from_attributes, get_volume_positions
from numpy.typing import NDArray

from medunsup.core.errors import GeometryError, InputError
from medunsup.core.geometry import Affine
from medunsup.io.dicom.places import ROUNDING_MM, along_normal, same_place_mm
from medunsup.io.dicom.slices import Slice
from medunsup.io.dicom.volumes import one_volume
from medunsup.io.notes import Notes

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
CONVENTION = ("R", "D")  # index columns, then rows; the slice axis follows by the right hand
SPACING_TOLERANCE = 0.02  # of the slice spacing
COSINE_TOLERANCE = 1e-3
EXPORT = "Export the whole series again from the scanner or archive."


def order_slices(
    path: Path, slices: Sequence[Slice], volume: int | None, notes: Notes
) -> tuple[list[Slice], Affine]:
    """Return one volume's slices in spatial order and the affine (4, 4) of (column, row, slice) to RAS mm.

    Raises GeometryError or InputError naming the slice at fault: mixed geometry, duplicates, a missing
    slice, uneven spacing, gantry tilt; or as `dicom_volumes.one_volume` does.
    """
    _check_alike(path, slices)
    _check_copies(path, slices)
    by_identity = sorted(slices, key=lambda item: (str(item.header.get("SOPInstanceUID")), item.frame))
    chosen = one_volume(path, by_identity, volume, notes)  # names of files decide nothing
    if len(chosen) == 1:
        first = chosen[0]
        notes.warn(path, "holds a single slice. Give the folder to load the whole series.")
        return chosen, _affine(first, first.gap_told_mm or first.thickness_mm or 1.0)
    ordered, distances = _sort(chosen)
    _check_gaps(path, ordered, distances)
    spacing_mm = float(distances[-1] - distances[0]) / (len(ordered) - 1)
    tolerance_mm = max(ROUNDING_MM, SPACING_TOLERANCE * spacing_mm)
    _check_even(path, ordered, distances, spacing_mm, tolerance_mm)
    _check_tilt(path, ordered, distances, tolerance_mm)
    _compare_told(path, ordered[0], spacing_mm, notes)
    return _stack(path, ordered, 2 * tolerance_mm)


def _stack(path: Path, slices: Sequence[Slice], tolerance_mm: float) -> tuple[list[Slice], Affine]:
    """Let highdicom order the slices and place the stack; the checks before have named what it refuses."""
    spacing_mm, places = get_volume_positions(
        [item.position for item in slices],
        slices[0].orientation,
        atol=tolerance_mm,
        perpendicular_tol=COSINE_TOLERANCE * 10,
        index_convention=CONVENTION,
    )
    if spacing_mm is None or places is None:
        raise GeometryError(f"{path}: the slices do not form a regular stack. {EXPORT}")
    ordered = [slices[index] for index in np.argsort(places)]
    return ordered, _affine(ordered[0], spacing_mm)


def _affine(first: Slice, spacing_mm: float) -> Affine:
    affine = create_affine_matrix_from_attributes(
        first.position, first.orientation, first.spacing, spacing_mm, index_convention=CONVENTION
    )
    return np.asarray(LPS_TO_RAS @ affine, dtype=float)


def _check_alike(path: Path, slices: Sequence[Slice]) -> None:
    """Every slice must share size, spacing and orientation with the first."""
    first = slices[0]
    across, down = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    units = abs(np.linalg.norm(across) - 1), abs(np.linalg.norm(down) - 1), abs(across @ down)
    if max(units) > COSINE_TOLERANCE:
        raise GeometryError(f"{path}: {first.name}: ImageOrientationPatient is not a pair of axes. {EXPORT}")
    if min(first.spacing) <= 0:
        raise GeometryError(f"{path}: {first.name}: PixelSpacing {first.spacing} cannot be right. {EXPORT}")
    for item in slices[1:]:
        for field, mine, theirs, tolerance in (
            ("Rows and Columns", _size(first), _size(item), 0.0),
            ("PixelSpacing", first.spacing, item.spacing, 1e-3),
            ("ImageOrientationPatient", first.orientation, item.orientation, COSINE_TOLERANCE),
        ):
            if np.abs(np.subtract(mine, theirs)).max() > tolerance:
                raise GeometryError(
                    f"{path}: mixed series: {field} is {_text(mine)} in {first.name} but {_text(theirs)} in "
                    f"{item.name}. Put the files of each scan in a folder of their own."
                )


def _check_copies(path: Path, slices: Sequence[Slice]) -> None:
    files = {item.path: str(item.header.get("SOPInstanceUID") or item.path) for item in slices}
    first: dict[str, Path] = {}
    copies = [(file, uid) for file, uid in files.items() if first.setdefault(uid, file) is not file]
    if copies:
        one, other = (_below(path, file) for file in (copies[0][0], first[copies[0][1]]))
        more = f" (and {len(copies) - 1} more)" if len(copies) > 1 else ""
        raise InputError(
            f"{path}: duplicate slice: {one} and {other} are one image{more}. Remove one copy, or give the "
            "folder of one."
        )


def _sort(slices: Sequence[Slice]) -> tuple[list[Slice], NDArray[np.float64]]:
    """Sort along the slice normal; return the distances in mm as well."""
    distances = along_normal(slices)
    index = np.argsort(distances, kind="stable")
    return [slices[n] for n in index], distances[index]


def _check_gaps(path: Path, ordered: Sequence[Slice], distances: NDArray[np.float64]) -> None:
    """Refuse a gap of two or more spacings (a missing slice), or of none (another stack)."""
    gaps = np.diff(distances)
    expected = float(np.median(gaps))
    narrow, wide = int(gaps.argmin()), int(gaps.argmax())
    if gaps[narrow] <= same_place_mm(distances):
        raise GeometryError(
            f"{path}: mixed series: {ordered[narrow].name} and {ordered[narrow + 1].name} lie in one plane "
            f"at different places. Put each scan in a folder of its own. {EXPORT}"
        )
    steps = gaps / expected
    if steps[wide] > 1.5 and np.abs(steps - steps.round()).max() < 0.1:
        lost = [str(wide + 2 + n) for n in range(round(steps[wide]) - 1)]
        total = int(steps.round().sum()) + 1
        verb = "is" if len(lost) == 1 else "are"
        raise GeometryError(
            f"{path}: slice {', '.join(lost)} of {total} {verb} missing between {ordered[wide].name} and "
            f"{ordered[wide + 1].name} (gap {gaps[wide]:.1f} mm, expected {expected:.1f} mm). {EXPORT}"
        )


def _check_even(
    path: Path,
    ordered: Sequence[Slice],
    distances: NDArray[np.float64],
    spacing_mm: float,
    tolerance_mm: float,
) -> None:
    even = distances[0] + spacing_mm * np.arange(len(distances))
    off = np.abs(distances - even)
    if off.max() > tolerance_mm:
        gaps = np.diff(distances)
        where = int(np.abs(gaps - np.median(gaps)).argmax())
        raise GeometryError(
            f"{path}: slices are unevenly spaced: {gaps[where]:.2f} mm between {ordered[where].name} and "
            f"{ordered[where + 1].name}, {np.median(gaps):.2f} mm elsewhere. {EXPORT}"
        )


def _check_tilt(
    path: Path, ordered: Sequence[Slice], distances: NDArray[np.float64], tolerance_mm: float
) -> None:
    """Slices must be stacked along their normal: a shift in the plane is gantry tilt."""
    positions = np.array([item.position for item in ordered])
    along = np.outer(distances - distances[0], _normal(ordered[0]))
    shift = np.linalg.norm(positions - positions[0] - along, axis=1)
    worst = int(shift.argmax())
    if shift[worst] > tolerance_mm:
        angle = np.degrees(np.arctan2(shift[worst], abs(distances[worst] - distances[0])))
        raise GeometryError(
            f"{path}: gantry tilt: {ordered[worst].name} is shifted {shift[worst]:.1f} mm in its plane "
            f"against {ordered[0].name} ({angle:.1f}°). Correct the tilt first, for example with dcm2niix."
        )


def _compare_told(path: Path, first: Slice, spacing_mm: float, notes: Notes) -> None:
    """Warn if slices lie further apart than the header says: then every other one may be missing.

    Some makers give the gap between slices instead of the distance of their centres.
    """
    told = first.gap_told_mm
    meant = told + first.thickness_mm if told < first.thickness_mm else told
    agrees = any(abs(spacing_mm - length) < 0.1 * spacing_mm for length in (told, meant))
    if told and spacing_mm > told and not agrees:
        notes.warn(
            path,
            f"slices lie {spacing_mm:.2f} mm apart, but SpacingBetweenSlices is {told:.2f} mm: "
            "slices may be missing throughout. Export the whole series if so.",
        )


def _below(folder: Path, file: Path) -> Path:
    return file.relative_to(folder) if file.is_relative_to(folder) else file


def _normal(item: Slice) -> NDArray[np.float64]:
    return np.cross(item.orientation[:3], item.orientation[3:])


def _size(item: Slice) -> tuple[int, int]:
    return int(item.header.Rows), int(item.header.Columns)


def _text(values: Sequence[float]) -> str:
    return "\\".join(f"{value:g}" for value in values)
