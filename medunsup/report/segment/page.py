"""One self-contained page a scan: verdict, picture, three numbers, then everything behind them."""

from pathlib import Path
from typing import Any

from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base import charts, text
from medunsup.report.base.render import render
from medunsup.report.base.tiles import Tile
from medunsup.report.base.viewer import viewer
from medunsup.report.segment.methods_text import methods_text
from medunsup.report.segment.mosaic import SLICES_A_PLANE, UNCERTAINTY_SLICES, mosaic, uncertainty_tiles
from medunsup.report.segment.summary import headline, volume_rows
from medunsup.tissue.quality.measures import rows as measure_rows
from medunsup.tissue.result import TissueResult

PAGE_CHARACTERS = 4_850_000  # 5 MB less the words, the style and the thumbnail
TILE_CHARACTERS = 2_500_000
N_TISSUES = 3


def write_page(result: TissueResult, path: str | Path, *, command: str = "") -> Path:
    """Write the page of one segmented scan.

    The page loads nothing from outside and works without JavaScript, except its viewer. The same result gives
    the same bytes.

    Parameters
    ----------
    result : TissueResult
        What `medunsup.segment` returned.
    path : str or Path
        The HTML file.
    command : str, default ''
        Command line that made the result.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If the page cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> from medunsup.report import write_page
    >>> write_page(medunsup.segment("scan.nii.gz"), "page.html").name
    'page.html'
    """
    return write_text(Path(path), render("page.html.j2", **_facts(result, command)))


def _facts(result: TissueResult, command: str) -> dict[str, Any]:
    """Everything the template needs, by name."""
    table = [item.label for item in result.tissues]
    selection = result.fit.model_selection
    verdict = result.quality.verdict
    slices, unsure = _tiles(result)
    used = sum(tile.characters for tiles in (*slices.values(), unsure) for tile in tiles)
    return {
        "name": text.scan_name(result.image.source),
        "subtitle": text.subtitle(result.image, text.contrasts_of(result.record.steps)),
        "verdict": verdict,
        "verdict_words": text.VERDICTS[verdict],
        "reasons": result.quality.reasons,
        "warnings": text.warnings(result),
        "measures": measure_rows(result.quality.measures),
        "weakness": text.KNOWN_WEAKNESS if len(result.tissues) == N_TISSUES else "",
        "headline": headline(result),
        "volumes": volume_rows(result),
        "mask_mm3": result.brain_mask_ml * 1000,
        "mosaic": slices,
        "uncertainty": unsure,
        "oblique_note": text.oblique_note(result.image),
        "histogram": charts.histogram(result.fit, table),
        "likelihood": charts.line(result.fit.log_likelihood, "mean log-likelihood per voxel"),
        "selection": selection,
        "selection_charts": [] if selection is None else _selection_charts(selection),
        "fit": result.fit,
        "viewer": viewer(result, PAGE_CHARACTERS - used),
        "steps": text.steps(result.record),
        "scan_facts": text.scan_facts(result.image),
        "software": text.software(),
        "methods_text": methods_text(result),
        "command": command,
        "version": __version__,
        "disclaimer": text.DISCLAIMER,
    }


def _selection_charts(selection: dict[str, Any]) -> list[tuple[charts.Chart, str]]:
    """Draw the curves over the number of classes, the chosen one marked; each with its caption."""
    captions = {
        "bic": "BIC of a Gaussian mixture: lower is better",
        "inertia": "spread within k-means clusters",
    }
    drawn = [
        (charts.line(selection[key], caption, selection["k"], selection["chosen"]), caption)
        for key, caption in captions.items()
    ]
    return [(chart, caption) for chart, caption in drawn if chart is not None]


def _tiles(result: TissueResult) -> tuple[dict[str, list[Tile]], list[Tile]]:
    """Slices with the tissues, and the uncertainty; fewer of them where noise makes each one large."""
    slices, unsure = mosaic(result), uncertainty_tiles(result)
    used = sum(tile.characters for tiles in (*slices.values(), unsure) for tile in tiles)
    if used <= TILE_CHARACTERS:
        return slices, unsure
    share = TILE_CHARACTERS / used
    fewer = max(1, int(SLICES_A_PLANE * share)), max(1, int(UNCERTAINTY_SLICES * share))
    return mosaic(result, fewer[0]), uncertainty_tiles(result, fewer[1])
