"""Further contrasts of the same head: read, registered where they moved, refused if of another head."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.reading import note_source, onto, refuse_phase
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import GeometryError, InputError, UsageError
from medunsup.core.geometry import steadied
from medunsup.core.hints import option
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.io.load import Coordinates
from medunsup.metrics.label_map import what_it_is
from medunsup.preprocess.intensity.contrast import NamedContrast

if TYPE_CHECKING:
    from medunsup.preprocess.registration.coregister import Alignment
    from medunsup.tissue.quality.findings import Findings

LEAST_COVERED = 0.95


def load_contrasts(
    given: Mapping[str, str | Path],
    image: Volume,
    mask: Volume,
    step: Step,
    coordinates: Coordinates = "auto",
) -> "tuple[dict[str, Volume], Findings]":
    """Load further contrasts of the same head onto the scan's grid, by name, and what speaks against them.

    Each is measured against the scan within the brain `mask`. One in register is taken as it is; one that
    lies elsewhere is registered rigidly, with a warning and the motion in `step`.

    Raises GeometryError if a contrast is mirrored against the scan or shows another head, InputError if it is
    no scan.
    """
    from medunsup.preprocess.registration.coregister import align
    from medunsup.tissue.quality.findings import Findings

    volumes, findings = {}, Findings()
    for name, path in given.items():
        volume = read_contrast(name, Path(path), step, coordinates)
        found = align(_steady(image), _steady(mask), _steady(volume))
        if found is None:
            findings.unchecked.append(f"whether the {name} is in register (too little of a brain is there)")
        else:
            _judge(name, Path(path), found, findings, step)
        motion_mm = found.motion_mm if found is not None and found.has_moved else None
        volumes[name] = image.like(onto(volume, image, step, name, motion_mm))
    return volumes, findings


def read_contrast(name: str, path: Path, step: Step, coordinates: Coordinates = "auto") -> Volume:
    """Read one further contrast on its own grid. Raises InputError if it is no scan."""
    from medunsup.io.load import load

    refuse_phase(path)
    volume = load(path, coordinates=coordinates)
    if kind := what_it_is(volume.data):
        raise InputError(f"{path}: is {kind}, not a {name} scan. Give the scan it was made from.")
    note_source(volume, step, prefix=f"{name} ")
    return volume


def refuse_twice(request: ScanRequest, own: NamedContrast | None) -> None:
    """Raise UsageError if a scan of the scan's `own` contrast, as far as it is told, is given beside it."""
    if own is not None and own.name in request.contrasts:
        name, others = request.contrasts[own.name].name, option("with_contrasts")
        raise UsageError(
            f"{request.path}: is taken as {own.name} itself ({own.source}), and {name} is given as "
            f"{own.name} beside it. Leave out {option('with_contrasts', {own.name: name})}, or say what they "
            f"are: {option('contrast')} for the scan, the name in {others} for the other."
        )


def _judge(name: str, path: Path, found: "Alignment", findings: "Findings", step: Step) -> None:
    """Refuse a wrong contrast; record where a right one lies, and object to one that fits in part."""
    if found.is_mirrored:
        raise GeometryError(
            f"{path}: the {name} is mirrored left to right against the scan: its mirror image agrees "
            f"{found.mirrored:.1f} times as well. Find out which of the two headers is wrong, or leave the "
            f"{name} out."
        )
    if found.is_another_head:
        raise GeometryError(
            f"{path}: the {name} does not show the head of the scan, or lies on its side or upside down: "
            f"wherever it is moved, {100 * found.apart:.0f} % of the brain's regions disagree. Give the "
            f"{name} of this head, or leave it out."
        )
    findings.note({f"{name.lower()}_apart_percent": 100 * found.apart})
    step.findings[f"{name} place"] = {
        "moved_mm": round(found.moved_mm, 2),
        "turned_degrees": round(found.turned_deg, 2),
        "information_gained_percent": round(100 * found.gain, 1),
        "regions_apart_percent": round(100 * found.apart, 1),
        "mirror_image_as_good_percent": round(100 * found.mirrored, 1),
        "registered": found.has_moved,
    }
    if found.has_moved:
        step.findings[f"{name} place"]["scan_to_contrast"] = found.motion_mm.round(5).tolist()
        step.warn(
            f"The {name} was not in register: it lay {found.moved_mm:.1f} mm off in the brain, turned by "
            f"{found.turned_deg:.1f} degrees. It was registered to the scan rigidly and resampled."
        )
    if found.covered < LEAST_COVERED:
        findings.object(
            "check",
            f"The {name} shows only {100 * found.covered:.0f} % of the brain, and counts as black in the "
            f"rest. Give a {name} of the whole brain, or leave it out.",
        )
    if found.is_doubtful:
        findings.object(
            "check",
            f"The {name} fits the scan in part only: {100 * found.apart:.0f} % of the brain's regions would "
            "rather lie elsewhere on it (usually up to 16 %), as after distortion or surgery between them. "
            f"Compare the outlines, or leave the {name} out.",
        )


def _steady(volume: Volume) -> Volume:
    return replace(volume, affine=steadied(volume.affine))
