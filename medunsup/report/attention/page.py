"""One self-contained page a scan: where an encoder looks, map by map, and what that does not mean."""

from pathlib import Path
from typing import Any

from medunsup.cohort.encoders.attended import MEANINGS, AttentionResult
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.attention.slices import LookCutter, gradient, looks
from medunsup.report.base import text
from medunsup.report.base.numbers import significant
from medunsup.report.base.render import render

MOST_SHOWN, OVERVIEW_SLICES = 25, 12
TITLES = {"attention": "Attention of the last block", "activation": "Strength of feature maps"}
MAPS = {
    "mean": "Mean of all heads",
    "coarse": "Coarsest map",
    "middle": "Middle map",
    "fine": "Finest map",
}
ORDER = ("fine", "middle", "coarse")
LIMITS = (
    "A map shows where this network looks. It does not show disease, and a bright place is no finding.",
    "It does not say why the network answers as it does: what a place counts may change its answer or not.",
    "Edges of the brain and of the head often stand out, because that is where the image changes most.",
    "A map is no finer than the cells of the network that it comes from; between them it is interpolated.",
)


def write_page(result: AttentionResult, path: str | Path, *, command: str = "") -> Path:
    """Write the page of one scan to `path` and return it.

    It loads nothing from outside and needs no JavaScript. The same result gives the same bytes.

    Raises OutputError if the page cannot be written.
    """
    return write_text(Path(path), render("attention.html.j2", **_facts(result, command)))


def _facts(result: AttentionResult, command: str) -> dict[str, Any]:
    """Everything the template needs, by name."""
    names = _in_order(result)
    shown, cutter = names[:MOST_SHOWN], LookCutter(result)
    own = looks(cutter, result.maps, result.scales, shown, "own")
    common = [name for name in shown if name in result.beside]
    beside = looks(cutter, result.beside, result.beside_scales, common, "beside")
    return {
        "name": text.scan_name(result.image.source),
        "subtitle": text.subtitle(result.image, result.contrast),
        "result": result,
        "title": TITLES[result.kind],
        "meaning": MEANINGS[result.kind],
        "scan_tiles": cutter.scan_tiles(),
        "own": own,
        "beside": beside,
        "hidden": len(names) - len(shown),
        "overview": cutter.overview(result.maps[result.main], OVERVIEW_SLICES),
        "map_name": map_name,
        "scale_words": scale_words,
        "gradient": gradient(),
        "oblique_note": text.oblique_note(result.image),
        "limits": LIMITS,
        "steps": text.steps(result.record),
        "scan_facts": [*text.scan_facts(result.image), ("Contrast", result.contrast)],
        "software": text.software(),
        "command": command,
        "version": __version__,
        "disclaimer": text.DISCLAIMER,
    }


def _in_order(result: AttentionResult) -> list[str]:
    """List maps as they are looked at: fine to coarse, or the mean and then the heads."""
    names = list(result.maps)
    return [name for name in ORDER if name in names] if result.kind == "activation" else names


def map_name(name: str) -> str:
    """Call a map as readers do: "Head 3"."""
    return MAPS.get(name) or f"Head {name.removeprefix('head')}"


def scale_words(kind: str, scale: float) -> str:
    """Say which value is drawn in the last colour."""
    told = significant(scale, 3)
    return f"1 = {told} × uniform attention" if kind == "attention" else f"1 = {told}"
