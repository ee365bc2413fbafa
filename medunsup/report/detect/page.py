"""One self-contained page a scan: is it unusual, where, and what that is worth."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.anomaly.result import AnomalyResult
from medunsup.core.record import Record
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base import text
from medunsup.report.base.heatmap import CEILING, FLOOR, heat_gradient, heat_layer, heat_levels
from medunsup.report.base.render import render
from medunsup.report.base.strip_plot import Strip, strip
from medunsup.report.base.tiles import Tile
from medunsup.report.base.viewer import Viewer, label_colours, pack
from medunsup.report.detect import slices, words
from medunsup.report.detect.methods_text import methods_text, preparation

PAGE_CHARACTERS = 4_850_000  # 5 MB less the words and the style
TILE_CHARACTERS = 2_500_000
FINDINGS_SHOWN, OVERVIEW_SLICES, ROWS_SHOWN = 5, 15, 12


def write_page(result: AnomalyResult, path: str | Path, *, command: str = "") -> Path:
    """Write the report of one scan to `path` and return it.

    The page loads nothing from outside and works without JavaScript, except its viewer. `command` is the
    command line that made the result. The same result gives the same bytes.

    Raises OutputError if the page cannot be written.
    """
    return write_text(Path(path), render("anomaly.html.j2", **_facts(result, command)))


def _facts(result: AnomalyResult, command: str) -> dict[str, Any]:
    """Everything the template needs, by name."""
    places, overview = _tiles(result)
    comparisons, baselines = slices.comparisons(result), slices.baseline_tiles(result)
    used = _characters(
        [*(tile for place in places for tile in place.tiles), *overview],
        (tile for row in comparisons for tile in (row.scan, row.healthy, row.raw)),
        (tile for _, tile in baselines),
    )
    return {
        "name": text.scan_name(result.image.source),
        "subtitle": text.subtitle(result.image, result.contrast),
        "result": result,
        "verdict": words.verdict(result),
        "headline": words.headline(result),
        "warnings": words.warnings(result),
        "places": places,
        "overview": overview,
        "comparisons": comparisons,
        "raw_window": slices.raw_window(result),
        "starts_at": slices.first_marked(result),
        "baselines": baselines,
        "scores": _scores(result),
        "colours": {"gradient": heat_gradient(), "ticks": range(round(FLOOR), round(CEILING) + 1)},
        "lines": {label.abbreviation: label.hex for label in slices.LINES},
        "rows_shown": ROWS_SHOWN,
        "oblique_note": text.oblique_note(result.image),
        "viewer": _viewer(result, PAGE_CHARACTERS - used),
        "steps": text.steps(Record([*preparation(result).steps, *result.record.steps])),
        "scan_facts": [*text.scan_facts(result.image), ("Contrast", result.contrast)],
        "software": text.software(),
        "methods_text": methods_text(result),
        "words": words,
        "command": command,
        "version": __version__,
        "disclaimer": text.DISCLAIMER,
    }


def _tiles(result: AnomalyResult) -> tuple[list[slices.Place], list[Tile]]:
    """Slices through findings and through the whole brain; fewer where noise makes each one large."""
    counts = FINDINGS_SHOWN, OVERVIEW_SLICES
    places, overview = slices.places(result, counts[0]), slices.overview(result, counts[1])
    used = _characters((tile for place in places for tile in place.tiles), overview)
    if used > TILE_CHARACTERS:
        fewer = [max(1, int(count * TILE_CHARACTERS / used)) for count in counts]
        places, overview = slices.places(result, fewer[0]), slices.overview(result, fewer[1])
    return [_named(place, n) for n, place in enumerate(places)], overview


def _named(place: slices.Place, rank: int) -> slices.Place:
    """Tell the tiles of one place from those of the others."""
    tiles = tuple(replace(tile, key=f"place-{rank}-{tile.plane.name}") for tile in place.tiles)
    return replace(place, tiles=tiles)


def _characters(*tiles: Iterable[Tile | None]) -> int:
    return sum(tile.characters for some in tiles for tile in some if tile is not None)


def _scores(result: AnomalyResult) -> Strip | None:
    """Draw the calibration scans' scores on a line, this scan's among them as the one that stands out."""
    healthy = list(result.scan.healthy)
    names = ["healthy scan"] * len(healthy) + ["this scan"]
    values = np.array([*healthy, result.scan.score])
    return strip("Score of the whole scan", "", names, values, {len(healthy)}, "")


def _viewer(result: AnomalyResult, room: int) -> Viewer | None:
    found = {"key": "findings", "name": "findings", "labels": label_colours((slices.FOUND,))}
    found |= {"none": "no finding"}
    rarity = {"key": "rarity", "name": "−log10(p)", **heat_layer()}
    marked = np.where(result.mask.data, slices.FOUND.index, 0).astype(np.uint8)
    layers = (found, marked), (rarity, heat_levels(result.calibrated.data))
    return pack(result.image, result.brain.data.astype(bool), *layers, room, slices.first_point(result))
