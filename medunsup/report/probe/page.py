"""The page of a probe: the verdict first, then curves, table and picture."""

from pathlib import Path

from medunsup.cohort.encoders.probed import Kind, ProbeFigures, ProbeResult
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base.headline import Headline
from medunsup.report.base.render import render
from medunsup.report.base.text import DISCLAIMER
from medunsup.report.probe import charts, words

PROBES: dict[Kind, str] = {"linear": "Linear probe", "knn": "Nearest neighbours"}
LETTERS: dict[Kind, str] = {"linear": "C", "knn": "k"}


def write_page(result: ProbeResult, path: Path) -> Path:
    """Write the page. It loads nothing from outside and needs no JavaScript.

    Raises OutputError if it cannot be written.
    """
    shown, said = words.verdict(result)
    text = render(
        "probe.html.j2",
        result=result,
        shown=shown,
        verdict=said,
        sentences=[*(words.sentence(one) for one in result.verdicts), *words.contrary(result)],
        headline=_headline(result),
        curves={kind: charts.curves(result, kind) for kind in PROBES},
        scatter=charts.scatter(result),
        rows={kind: [one for one in result.figures if one.probe == kind] for kind in PROBES},
        setting=_setting,
        probes=PROBES,
        letters=LETTERS,
        limits=words.LIMITS,
        words=words,
        version=__version__,
        disclaimer=DISCLAIMER,
    )
    return write_text(path, text)


def _headline(result: ProbeResult) -> list[Headline]:
    """Name the gain at each share of the labels, at most three."""
    return [
        Headline(
            f"Gain with {words.share(one.fraction)} of the labels",
            words.difference(one.difference).split(" ")[0],
            "AUC",
            f"{one.said}; {words.difference(one.difference)} against {words.NAMES[one.baseline]}",
        )
        for one in result.verdicts[:3]
    ]


def _setting(one: ProbeFigures) -> str:
    """Write C or k of all draws."""
    return ", ".join(f"{value:g}" for value in sorted(set(one.setting)))
