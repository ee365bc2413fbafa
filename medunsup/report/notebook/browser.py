"""`show`: the page of a result in the browser; one that has none yet is written to a temporary folder."""

import tempfile
import warnings
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from medunsup.core.errors import MissingError, UsageError
from medunsup.core.labels import Label
from medunsup.core.paths import user_path
from medunsup.core.version import __version__
from medunsup.core.volume import Volume
from medunsup.io.files.atomic import write_text
from medunsup.report.base import text
from medunsup.report.base.images import as_grey
from medunsup.report.base.render import render
from medunsup.report.base.tiles import window
from medunsup.report.base.viewer import Viewer, label_colours, pack
from medunsup.report.notebook.cards import html_of
from medunsup.report.notebook.pictures import inside

REPORT = "report.html"
INSIDE = Label(1, "inside", "inside", (64, 224, 255))
ROOM = 4_000_000  # characters of the viewer


def show(result: Any, *, browser: bool = True) -> Path:
    """Open the page of a result in the browser, or a viewer of a scan.

    A result that lies in a folder is shown by the page there. The page of any other is written to a new
    temporary folder, which stays until you remove it.

    Parameters
    ----------
    result : object
        What `segment`, `detect`, `cluster`, ... returned; a `Volume`; the path of a page, or of a folder that
        holds a report.html.
    browser : bool, default True
        Open it. False writes the page and opens nothing.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UsageError
        If it is nothing that has a page.
    MissingError
        If there is no such page.
    OutputError
        If the page cannot be written.

    Warns
    -----
    UserWarning
        If no browser could be started; it names the page.

    Examples
    --------
    >>> import medunsup
    >>> medunsup.show(medunsup.load("scan.nii.gz"), browser=False).name
    'volume.html'
    """
    page = _there(result) or _written(result)
    if browser and not _opened(page):
        warnings.warn(f"No browser could be started. Open {page} in one yourself.", UserWarning, stacklevel=2)
    return page


def _opened(page: Path) -> bool:
    try:
        return webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False


def _there(result: Any) -> Path | None:
    """Find the page that lies beside a result; None where there is none."""
    if isinstance(result, str | Path):
        path = user_path(result)
        given = path / REPORT if path.is_dir() else path
        if not given.is_file():
            raise MissingError(
                f"{given}: there is no such page. Give a page, or a folder that holds {REPORT}."
            )
        return given
    page: Path | None = getattr(result, "group_page", None)
    if page is None and isinstance(folder := getattr(result, "path", None), Path):
        page = folder / REPORT
    return page if page is not None and page.is_file() else None


def _written(result: Any) -> Path:
    """Write the page of a result that has none."""
    card, pages = html_of(result), _pages()
    if card is None:
        raise UsageError(
            f"A {type(result).__name__} has no page. Give what segment, detect, cluster or another verb "
            "returned, a Volume, or the path of a page."
        )
    folder = Path(tempfile.mkdtemp(prefix="medunsup-"))
    for kind in type(result).__mro__:
        if kind.__name__ in pages:
            return pages[kind.__name__](result, folder / REPORT)
    if isinstance(result, Volume):
        name = "Volume" if result.source is None else text.scan_name(result.source)
        return _page(name, card, folder / "volume.html", viewer=_viewer(result), has_viewer=True)
    return _page(type(result).__name__, card, folder / REPORT, viewer=None, has_viewer=False)


def _pages() -> dict[str, Callable[[Any, Path], Path]]:
    """Which result has which page; imported here, since a scan alone needs none of them."""
    from medunsup.report.attention.page import write_page as write_attention
    from medunsup.report.detect.page import write_page as write_anomalies
    from medunsup.report.evaluate.page import write_evaluation
    from medunsup.report.predict.page import write_page as write_prediction
    from medunsup.report.probe.page import write_page as write_probe
    from medunsup.report.segment.page import write_page as write_tissues

    return {
        "TissueResult": write_tissues,
        "AnomalyResult": write_anomalies,
        "AttentionResult": write_attention,
        "Evaluation": write_evaluation,
        "Prediction": write_prediction,
        "ProbeResult": write_probe,
    }


def _page(title: str, card: str, path: Path, **viewer: Any) -> Path:
    """Write a card as a page, with the viewer of a scan."""
    facts = {"title": title, "card": Markup(card), "version": __version__, "disclaimer": text.DISCLAIMER}
    return write_text(path, render("volume.html.j2", **facts, **viewer))


def _viewer(volume: Volume) -> Viewer | None:
    """Pack a scan for the viewer, its values as colours over it."""
    if not volume.data.size:
        return None
    image, shown = volume.like(volume.data.astype("float32"), kind="image"), inside(volume)
    marked = {
        "key": "inside",
        "name": "what is not background",
        "labels": label_colours((INSIDE,)),
        "none": "",
    }
    values = {"key": "values", "name": "values", "colours": "cividis", "low": 24}
    values |= {"scale": 100 / 255, "digits": 0, "unit": " % of the brightest"}
    levels = as_grey(image.data, window(image.data, shown))
    return pack(image, shown, (marked, shown.astype("uint8") * INSIDE.index), (values, levels), ROOM)
