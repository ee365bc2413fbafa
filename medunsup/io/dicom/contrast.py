"""Guess an MR series' contrast: from what the scanner says, its name, or its times."""

import re
from typing import Any, Literal

from pydicom.dataset import Dataset

from medunsup.io.dicom.headers import Attributes, attributes_of

Contrast = Literal["T1w", "T2w", "FLAIR", "PD"]
Times = dict[str, float]

TERMS: dict[str, Contrast] = {"T1": "T1w", "T2": "T2w", "FLUID_ATTENUATED": "FLAIR", "PROTON_DENSITY": "PD"}
# T1 and T2 begin a word, or follow a plane's name or one letter ("sT1W", "AxT1"), but not so in "part1".
PLANE = r"(?:(?<![a-z]{2})|(?<=ax)|(?<=cor)|(?<=sag)|(?<=tra))"
PLAIN = r"(?!\d| ?(?:map|rho|star|images|\*))"  # not the twelfth vertebra, not a map of T1
# What the words of a name say; each stands for itself, not inside another word ("adc" in "HeadCoil").
WORDS = {
    "structural": r"mp2?rage|bravo",
    "functional": r"\b(?:rs ?)?f ?mri\b|\bbold\b",
    "map": r"\bt[12] ?(?:map|rho|images)|\bt2 ?(?:star|\*)|\bfield ?map|\bb[01] ?(?:map)?\b",
    "other": r"\b(?:swi|dwi|dti|e?adc|asl|pc?asl|perf|perfusion|diff|diffusion|dsc|dce|cbf|cbv|mtt|qsm|tof"
    r"|dir|mra|angio\w*|flow(?! ?comp))(?![a-z])|ep2d",
    "fat dark": r"\b(?:t[12] ?)?stir\b",
    "fluid dark": r"flair|dark ?fluid|\bda ?fl\b|tirm",
    "T1w": rf"mp2?rage|bravo|spgr|tfl ?\d?d|{PLANE}t1{PLAIN}|\bvibe\b|\bir ?prep",
    "T2w": rf"{PLANE}t2{PLAIN}",
    "PD": r"\bpdw?\b|proton",
    "3D spin echo": r"\b(?:space|cube|vista)\b",
}
AGENT = (
    r"\+ ?c(?![a-z])|(?<![a-z])c ?\+|\b(?:gd|gado?|gadolinium|km)\b|\bpost ?(?:contrast|gd|gado?)|\bt1 ?ce\b"
)
NO_AGENT = {"NO", "NONE", "WITHOUT", "N", "N/A", "NA", "NATIVE"}
THIN_MM = 2.0
FAT_DARK_MS, FLUID_DARK_MS = 300, 1500  # inversion times up to, and from, which fat or fluid is nulled
SHORT_ECHO_MS, LONG_ECHO_MS = 40, 60


def contrast_of(header: Dataset | Attributes) -> Contrast | None:
    """Return the contrast by DICOM's own term, else by the series' name, else by TR, TE and TI; or None.

    The description goes before the protocol's name. Where words speak for several contrasts, as in "T1
    FLAIR" or "PD/T2", the times decide.
    """
    frame = attributes_of(header)
    term = str(frame.get("AcquisitionContrast", "UNKNOWN")).upper()
    if term != "UNKNOWN":
        return TERMS.get(term)
    times = timing_of(frame)
    for name in ("SeriesDescription", "ProtocolName"):
        if says := _words_of(str(frame.get(name, ""))):
            return _by_words(says, times)
    return _by_times(times)


def has_contrast_agent(header: Dataset | Attributes) -> bool:
    """Whether the header tells of a contrast agent, by its own tags or in the series' name."""
    frame = attributes_of(header)
    named = str(frame.get("ContrastBolusAgent", "")).strip().upper()
    if (named and named not in NO_AGENT) or len(frame.get("ContrastBolusAgentSequence", ())) > 0:
        return True
    words = re.sub(r"[^a-z0-9+]+", " ", str(frame.get("SeriesDescription", "")).lower())
    return re.search(AGENT, words) is not None


def timing_of(header: Dataset | Attributes) -> Times:
    """Return the sequence's times in ms and flip angle in degrees, as far as they are known."""
    frame = attributes_of(header)
    names = {
        "repetition_time_ms": ("RepetitionTime",),
        "echo_time_ms": ("EchoTime", "EffectiveEchoTime"),
        "inversion_time_ms": ("InversionTime", "InversionTimes"),
        "flip_angle_deg": ("FlipAngle",),
    }
    found = {ours: [_number(frame.get(name)) for name in theirs] for ours, theirs in names.items()}
    return {ours: next(filter(None, values)) for ours, values in found.items() if any(values)}


def acquisition_of(header: Dataset | Attributes) -> str | None:
    """Return '3D' or '2D'; where it is not said, thin slices count as 3D."""
    frame = attributes_of(header)
    said = str(frame.get("MRAcquisitionType", ""))
    if said in ("2D", "3D"):
        return said
    gap = _number(frame.get("SpacingBetweenSlices")) or _number(frame.get("SliceThickness"))
    if not gap:
        return None
    return "3D" if gap <= THIN_MM else "2D"


def _words_of(name: str) -> set[str]:
    """Return what the words of a name say, as far as they are known."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    text = re.sub(r"[^a-z0-9*]+", " ", apart)
    return {meaning for meaning, pattern in WORDS.items() if re.search(pattern, text)}


def _by_words(says: set[str], times: Times) -> Contrast | None:
    by_times = _by_times(times)
    if says & {"map", "fat dark"}:
        return None
    if "structural" in says:  # whatever the study is called
        return "T1w"
    if "other" in says:
        return None
    if "functional" in says:
        return "T1w" if "T1w" in says and by_times == "T1w" else None
    if "fluid dark" in says:
        return _by_inversion("T1w" in says, times)
    contrasts = [contrast for contrast in TERMS.values() if contrast in says]
    if contrasts == ["T2w"] and by_times == "FLAIR":
        return "FLAIR"
    if len(contrasts) == 1:
        return contrasts[0]
    if contrasts:
        return by_times if by_times in contrasts else None
    return by_times or "T2w"  # 3D spin echo without a weighting


def _by_inversion(says_t1: bool, times: Times) -> Contrast | None:
    """Tell FLAIR from T1 FLAIR and from STIR, all called FLAIR, TIRM or dark fluid at times."""
    inversion, echo = times.get("inversion_time_ms"), times.get("echo_time_ms")
    if inversion and inversion < FAT_DARK_MS:
        return None
    if says_t1:
        return "FLAIR" if _by_times(times) == "FLAIR" else "T1w"
    if inversion is None:
        is_short = echo is not None and echo < SHORT_ECHO_MS
        return "FLAIR" if not is_short else "T1w" if times.get("repetition_time_ms", 0) < 4000 else None
    if inversion >= FLUID_DARK_MS or (echo is not None and echo > LONG_ECHO_MS):
        return "FLAIR"
    return "T1w" if _by_times(times) == "T1w" else None


def _by_times(times: Times) -> Contrast | None:
    repetition, echo = times.get("repetition_time_ms"), times.get("echo_time_ms")
    inversion = times.get("inversion_time_ms", 0)
    if repetition is None or echo is None:
        return None
    if 0 < inversion < FAT_DARK_MS and repetition > 1000:  # STIR
        return None
    if inversion > FLUID_DARK_MS and echo > LONG_ECHO_MS:
        return "FLAIR"
    if echo > LONG_ECHO_MS:
        return "T2w"
    if echo < SHORT_ECHO_MS and (repetition < 1000 or FAT_DARK_MS <= inversion <= FLUID_DARK_MS):
        return "T1w"
    return "PD" if echo < SHORT_ECHO_MS and repetition > 1500 else None


def _number(value: Any) -> float | None:
    try:
        return float(value[0] if hasattr(value, "__getitem__") and not isinstance(value, str) else value)
    except (TypeError, ValueError, IndexError):
        return None
