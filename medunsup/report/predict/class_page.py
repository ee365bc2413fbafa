"""One self-contained page a scan: the class that a network gives it, and what that is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medunsup.core.record import Record, Step
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base import text
from medunsup.report.base.render import render
from medunsup.report.base.text import Shown
from medunsup.report.predict.slices import plain_tiles
from medunsup.report.predict.words import meaning
from medunsup.supervised.class_prediction import ClassPrediction

UNCHECKED = "{name}, probability {share:.2f}: no expert has checked it"
UNLIKE = "Unlike the scans it was fine-tuned on: {name} (probability {share:.2f}) may mean nothing"


@dataclass(frozen=True)
class Row:
    """One class as the table shows it."""

    name: str
    colour: str
    share: float
    is_likeliest: bool


def write_class_page(
    result: ClassPrediction, path: Path, *, colours: Mapping[str, str], command: str = ""
) -> Path:
    """Write the report of one scan to `path` and return it; `colours` are those of the classes by name.

    The page loads nothing from outside and needs no JavaScript. `command` is the command line that made the
    result. Raises OutputError if the page cannot be written.
    """
    tone: Shown = "check" if result.flags else "partial"
    name, shares = result.predicted, result.probabilities
    prepared = [Step(**{"outcome": "done", **step}) for step in result.details.get("steps", ())]
    facts = {
        "name": text.scan_name(result.image.source),
        "subtitle": text.subtitle(result.image, result.contrast),
        "tone": tone,
        "sign": text.VERDICTS[tone].sign,
        "title": (UNLIKE if result.flags else UNCHECKED).format(name=name, share=shares[name]),
        "meaning": meaning(result.network),
        "flags": result.flags,
        "remarks": result.remarks,
        "hero": plain_tiles(result.image, result.brain),
        "rows": [Row(one, colours[one], share, one == name) for one, share in shares.items()],
        "network": result.network,
        "oblique_note": text.oblique_note(result.image),
        "steps": text.steps(Record([*prepared, *result.record.steps])),
        "scan_facts": [*text.scan_facts(result.image), ("Contrast", result.contrast)],
        "software": text.software(),
        "command": command,
        "version": __version__,
        "disclaimer": text.DISCLAIMER,
    }
    return write_text(path, render("predict_class.html.j2", **facts))
