"""Which part of the body the scanner says it looked at, in a word of our own."""

import re

from pydicom.dataset import Dataset

from medunsup.io.dicom.headers import Attributes

HEAD = "head"
FREE_TEXT = ("StudyDescription", "ProtocolName", "SeriesDescription")
ONLY_AS_TERM = ("neck", "arm", "hand", "hip", "leg", "foot")  # free text calls coils and tasks so
HEAD_WORDS = (
    r"head|brain|neuro|cerebr|cérébr|crani|crane|crâne|skull|hippocamp|pituitar|hypoph|orbit|kopf|hirn|schädel"
    r"|(?<![a-z])(iac|ears?|eyes?|face|sella|jaw|tmj|ms)(?![a-z])"
)
PARTS = {
    "shoulder": r"shoulder|clavicle|scapula",
    "elbow": r"elbow",
    "wrist": r"wrist",
    "hand": r"hand|finger|thumb",
    "arm": r"arm|forearm|upperarm|humerus",
    "hip": r"hips?|femur",
    "knee": r"knees?|patella",
    "ankle": r"ankles?",
    "foot": r"foot|feet|toe",
    "leg": r"legs?|calf|thigh|tibia",
    "spine": r"[clts]{0,2}[ -]?spine|sacrum|coccyx|lumbar",
    "neck": r"neck|thyroid",
    "heart": r"heart|cardiac",
    "breast": r"breasts?",
    "chest": r"chest|thorax|lungs?",
    "abdomen": r"abdomen|abdominal|liver|kidneys?|pancreas|mrcp",
    "pelvis": r"pelvis|pelvic|prostate|uterus|bladder",
}


def body_part_of(header: Dataset | Attributes) -> str | None:
    """Return "head", another part's name, or None where nothing is said or the words are not known.

    DICOM's own term decides; without it the names of study, protocol and series, where a word of the head
    outweighs all others. Only a word of this file is returned, never the header's text.
    """
    term = str(header.get("BodyPartExamined") or "").lower()
    if term.strip():
        return HEAD if re.search(HEAD_WORDS, term) else _part_in(term, list(PARTS))
    text = " ".join(str(header.get(name) or "") for name in FREE_TEXT).lower()
    if re.search(HEAD_WORDS, text):
        return HEAD
    return _part_in(text, [part for part in PARTS if part not in ONLY_AS_TERM])


def _part_in(text: str, parts: list[str]) -> str | None:
    """First part whose word stands in `text` on its own."""
    return next(
        (part for part in parts if re.search(rf"(?<![a-z])({PARTS[part]})(?![a-z])", text)),
        None,
    )
