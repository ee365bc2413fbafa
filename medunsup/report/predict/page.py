"""One self-contained page a scan: the labels that a network gives, and what they are worth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medunsup.core.record import Record, Step
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base import text
from medunsup.report.base.render import render
from medunsup.report.base.text import Shown
from medunsup.report.predict.slices import hero, overview
from medunsup.report.predict.words import meaning
from medunsup.supervised.prediction import Prediction

SLICES, TILE_CHARACTERS = 15, 3_500_000
UNCHECKED = "No expert has checked these labels"
UNLIKE = "Unlike the scans it was fine-tuned on: look at the labels before any use"


@dataclass(frozen=True)
class Row:
    """One label as the table shows it; `dice` is that of the test scans."""

    name: str
    colour: str
    volume_ml: float
    expected_ml: float
    dice: str


def write_page(result: Prediction, path: str | Path, *, command: str = "") -> Path:
    """Write the report of one scan to `path` and return it.

    The page loads nothing from outside and needs no JavaScript. `command` is the command line that made the
    result. The same result gives the same bytes.

    Raises OutputError if the page cannot be written.
    """
    return write_text(Path(path), render("predict.html.j2", **_facts(result, command)))


def _facts(result: Prediction, command: str) -> dict[str, Any]:
    """Everything the template needs, by name."""
    tone: Shown = "check" if result.flags else "partial"
    prepared = [Step(**{"outcome": "done", **step}) for step in result.details.get("steps", ())]
    return {
        "name": text.scan_name(result.image.source),
        "subtitle": text.subtitle(result.image, result.contrast),
        "tone": tone,
        "sign": text.VERDICTS[tone].sign,
        "title": UNLIKE if result.flags else UNCHECKED,
        "meaning": meaning(result.network),
        "flags": result.flags,
        "remarks": result.remarks,
        "hero": hero(result),
        "slices": _overview(result),
        "rows": [_row(result, n) for n in range(len(result.volumes))],
        "network": result.network,
        "oblique_note": text.oblique_note(result.image),
        "steps": text.steps(Record([*prepared, *result.record.steps])),
        "scan_facts": [*text.scan_facts(result.image), ("Contrast", result.contrast)],
        "software": text.software(),
        "command": command,
        "version": __version__,
        "disclaimer": text.DISCLAIMER,
    }


def _row(result: Prediction, n: int) -> Row:
    one = result.volumes[n]
    dice = result.network.dice_per_label.get(one.label.name)
    return Row(
        one.label.name,
        one.label.hex,
        one.volume_ml,
        one.expected_ml,
        "–" if dice is None else f"{dice:.3f}",
    )


def _overview(result: Prediction) -> list[Any]:
    """Cut axial slices; fewer where noise makes each one large."""
    tiles = overview(result, SLICES)
    used = sum(tile.characters for tile in tiles)
    return (
        tiles if used <= TILE_CHARACTERS else overview(result, max(1, int(SLICES * TILE_CHARACTERS / used)))
    )
