"""Guess an MR series' contrast: from what the scanner says, its name, or its times."""

import re
from typing import Any, Literal

from pydicom.dataset import Dataset

Contrast = Literal["T1w", "T2w", "FLAIR", "PD"]

# T1 and T2 begin a word, or follow a plane's name or one letter ("sT1W", "AxT1"), but not so in "part1".
PLANE = r"(?:(?<![a-z]{2})|(?<=ax)|(?<=cor)|(?<=sag)|(?<=tra))"
# Word parts that makers use, most telling first: FLAIR scans are often called "T2 FLAIR".
NAMES: tuple[tuple[str, Contrast | None], ...] = (
    (r"swi|dwi|dti|adc|bold|fmri|asl|perf|tof|angio|flow|t2\W?star|t2\*|b0|fieldmap", None),
    (r"flair|dark.?fluid|tirm", "FLAIR"),
    (rf"mp2?rage|bravo|spgr|fspgr|tfl\d?3d|{PLANE}t1|vibe|ir.?prep", "T1w"),
    (rf"{PLANE}t2|space|cube|vista", "T2w"),
    (r"(^|[^a-z])pd([^a-z]|$)|proton", "PD"),
)
TERMS: dict[str, Contrast] = {"T1": "T1w", "T2": "T2w", "FLUID_ATTENUATED": "FLAIR", "PROTON_DENSITY": "PD"}
THIN_MM = 2.0


def contrast_of(header: Dataset) -> Contrast | None:
    """Return the contrast by DICOM's own term, else by the series' name, else by TR, TE and TI; or None."""
    named = str(_anywhere(header, "AcquisitionContrast") or "UNKNOWN").upper()
    if named != "UNKNOWN":
        return TERMS.get(named)
    text = f"{header.get('SeriesDescription', '')} {header.get('ProtocolName', '')}".lower()
    for pattern, contrast in NAMES:
        if re.search(pattern, text):
            return contrast
    return _by_times(timing_of(header))


def timing_of(header: Dataset) -> dict[str, float]:
    """Return the sequence's times in ms and flip angle in degrees, as far as they are known."""
    names = {
        "RepetitionTime": "repetition_time_ms",
        "EchoTime": "echo_time_ms",
        "InversionTime": "inversion_time_ms",
        "FlipAngle": "flip_angle_deg",
    }
    found = {ours: _number(_anywhere(header, theirs)) for theirs, ours in names.items()}
    if not found["echo_time_ms"]:
        found["echo_time_ms"] = _number(_anywhere(header, "EffectiveEchoTime"))
    return {name: value for name, value in found.items() if value}


def acquisition_of(header: Dataset) -> str | None:
    """Return '3D' or '2D'; where it is not said, thin slices count as 3D."""
    said = str(header.get("MRAcquisitionType") or "")
    if said in ("2D", "3D"):
        return said
    gap = _number(_anywhere(header, "SpacingBetweenSlices")) or _number(_anywhere(header, "SliceThickness"))
    if not gap:
        return None
    return "3D" if gap <= THIN_MM else "2D"


def _by_times(times: dict[str, float]) -> Contrast | None:
    repetition, echo = times.get("repetition_time_ms"), times.get("echo_time_ms")
    inversion = times.get("inversion_time_ms", 0)
    if repetition is None or echo is None:
        return None
    if inversion > 1500 and echo > 60:
        return "FLAIR"
    if echo > 60:
        return "T2w"
    if echo < 40 and (repetition < 1000 or 500 <= inversion <= 1500):
        return "T1w"
    return "PD" if echo < 40 and repetition > 1500 else None


def _anywhere(header: Dataset, name: str) -> Any:
    """Look a value up at the top, else in the functional groups of an enhanced file."""
    if header.get(name) not in (None, ""):
        return header.get(name)
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for item in list(header.get(groups) or [])[:1]:
            for element in item:
                if element.VR == "SQ" and element.value and element.value[0].get(name) not in (None, ""):
                    return element.value[0].get(name)
    return None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
