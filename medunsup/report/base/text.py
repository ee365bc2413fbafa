"""The page's words: what the verdict means, which facts of the scan are told, what went wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from medunsup.cohort.failed import ERROR
from medunsup.cohort.sidecar import StepEntry
from medunsup.core.geometry import Grid
from medunsup.core.record import Record, Step
from medunsup.core.version import __version__
from medunsup.core.volume import Source, Volume
from medunsup.report.base.numbers import MINUS, significant
from medunsup.report.base.slices import tilt_degrees
from medunsup.tissue.result import TissueResult, Verdict

OBLIQUE_DEGREES = 1.0
TISSUE_NAMES = {"GM": "Grey matter", "WM": "White matter", "CSF": "Cerebrospinal fluid"}
SOFTWARE = ("numpy", "scipy", "SimpleITK", "nibabel", "nilearn", "scikit-learn", "pillow")
KNOWN_WEAKNESS = (
    "Known weaknesses: on T1w much of the deep grey matter is counted as white matter (beside FreeSurfer on "
    "one scan 62 % of the thalamus, 56 % of the putamen, 100 % of the pallidum). And volumes depend on the "
    "brain mask: on one head deepbet's mask gave 5 % more grey matter than the default. Compare volumes only "
    "where masks were made in one way."
)
DISCLAIMER = "For research. Not for clinical diagnosis."


@dataclass(frozen=True)
class VerdictWords:
    """What a verdict is called, its sign (never colour alone), and what it means for the reader."""

    title: str
    sign: str
    meaning: str


Shown = Verdict  # the tones a page knows, whatever it judges
# The one table of verdicts: terminal, tables and JSON say the key, pages the same word with its explanation.
VERDICTS: dict[Shown, VerdictWords] = {
    "pass": VerdictWords(
        "Pass: quality checks passed",
        "✓",
        "The automatic checks found nothing wrong with this segmentation. They do not look for disease.",
    ),
    "partial": VerdictWords(
        "Partial: checked in part",
        "–",
        "Nothing speaks against it, but not all is known of such a scan or could be checked. Look at the "
        "outlines before you use it.",
    ),
    "check": VerdictWords("Check: please look", "!", "Look at the outlines before you use the volumes."),
    "fail": VerdictWords("Fail: do not use these volumes", "✕", "The segmentation is not to be trusted."),
}
# No verdict: the run of such a scan broke. It stands beside the verdicts wherever many scans are listed.
NOT_PROCESSED = VerdictWords(ERROR, "✕", "Not processed: its last run made no result.")


@dataclass(frozen=True)
class StepWords:
    """One step as the page lists it."""

    name: str
    outcome: str
    warnings: tuple[str, ...]
    details: tuple[tuple[str, str], ...]


def scan_name(source: Source | None) -> str:
    """Return the scan's file name, without its folder: the folder may name a patient."""
    return Path(source.path).name or "scan" if source and source.path else "scan"


def subtitle(image: Volume, contrast: str) -> str:
    """Tell one series of a folder from another: contrast (or several), series number, voxel size."""
    source = image.source
    grid = source.grid if source else image.grid
    number = source.notes.get("series_number") if source else None
    parts = [contrast, f"series {number}" if number else "", _voxel(grid)]
    return " · ".join(part for part in parts if part)


def contrasts_of(steps: Iterable[Step | StepEntry]) -> str:
    """Name the contrast that the scan was taken as, and those given beside it; empty if not settled."""
    steps = list(steps)
    own = next((str(step.findings["contrast"]) for step in steps if "contrast" in step.findings), "")
    beside = [name for step in steps if step.name == "contrasts" for name in step.parameters["given"]]
    return " + ".join([own, *beside]) if own else ""


def tissue_name(abbreviation: str, name: str) -> str:
    """Return the name a reader uses for a tissue."""
    return TISSUE_NAMES.get(abbreviation, name)


def scan_facts(image: Volume) -> list[tuple[str, str]]:
    """Size, voxels and orientation of the scan, as pairs of a name and a value."""
    source = image.source
    grid = source.grid if source else image.grid
    facts = [
        ("File", scan_name(source)),
        (
            "Format",
            {"nifti": "NIfTI", "mgz": "MGH/MGZ", "dicom": "DICOM"}.get(source.format, "array")
            if source
            else "array",
        ),
        ("Matrix", " × ".join(str(size) for size in grid.shape)),
        ("Voxel", _voxel(grid)),
        ("Stored as", _stored_as(source)),
    ]
    if source and source.sha256:
        facts.append(("SHA-256", source.sha256))
    return facts


def software() -> list[tuple[str, str]]:
    """Versions of what computed the result."""
    return [("medunsup", __version__), *((package, version(package)) for package in SOFTWARE)]


def oblique_note(image: Volume) -> str:
    """Say how far the scan is tilted; empty if its axes are the world's."""
    tilt = tilt_degrees(image.grid)
    if tilt < OBLIQUE_DEGREES:
        return ""
    return (
        f"The scan is tilted by {tilt:.0f}°: slices follow its own axes, and each coordinate is that of the "
        "slice's centre."
    )


def warnings(result: TissueResult) -> list[str]:
    """Every warning of the record that is not among the verdict's reasons already, once each."""
    told = set(result.quality.reasons)
    return [message for message in dict.fromkeys(result.record.warnings) if message not in told]


def steps(record: Record) -> list[StepWords]:
    """All steps with their outcome, parameters and findings."""
    return [
        StepWords(
            step.name,
            step.outcome,
            tuple(step.warnings),
            tuple(
                (key, told)
                for key, value in (step.parameters | step.findings).items()
                if (told := _told(value))
            ),
        )
        for step in record.steps
    ]


def _voxel(grid: Grid) -> str:
    return " × ".join(f"{length:.3g}" for length in grid.spacing_mm) + " mm"


def _stored_as(source: Source | None) -> str:
    if source is None:
        return "RAS"
    letters = [""] * 3
    for axis, (stored, flipped) in enumerate(zip(source.axes, source.flips, strict=True)):
        letters[stored] = "LPI"[axis] if flipped else "RAS"[axis]
    return "".join(letters)


def _told(value: Any) -> str:
    """Return a short text for a value of a record; long lists and nested tables are left to the sidecar."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}".replace("-", MINUS) if abs(value) >= 1000 else significant(value, 4)
    if isinstance(value, list | tuple):
        return ", ".join(_told(item) for item in value) if len(value) <= 8 else ""
    if isinstance(value, dict):
        pairs = [f"{key} {told}" for key, item in value.items() if (told := _told(item))]
        return ", ".join(pairs) if len(pairs) <= 12 else ""
    return "" if value is None else str(value)
