"""The page of clusters: verdict and map first, then what clusters are, why so many, what may not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from medunsup.cohort.clusters.decided import decided
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.core.version import __version__
from medunsup.report.base.images import those_that_fit
from medunsup.report.base.render import render
from medunsup.report.base.text import DISCLAIMER
from medunsup.report.cluster import choosing, effects, tables, words
from medunsup.report.cluster.maps import cluster_maps, legend
from medunsup.report.cluster.marks import Mark, mark
from medunsup.report.cluster.scans import MeanPicture


@dataclass(frozen=True)
class Example:
    """A row of a cluster: its name, how typical it is, and a picture of its scan or ""."""

    name: str
    typicality: float
    picture: str = ""


@dataclass(frozen=True)
class Examples:
    """Rows that are most and least typical of a cluster."""

    mark: Mark
    n: int
    share: float
    exemplars: tuple[Example, ...]
    outliers: tuple[Example, ...]


def page(
    result: ClusterResult,
    pictures: Mapping[int, str] | None = None,
    means: tuple[MeanPicture, ...] = (),
    *,
    is_images: bool = False,
) -> str:
    """Return the page. It loads nothing from outside and needs no JavaScript.

    `pictures` are data addresses of scans by the number of their row; names alone stand where there is none.
    `means` are mean images of clusters; `is_images` says that rows are images and no scans.
    """
    shown, sign = words.tone(result)
    return render(
        "cluster.html.j2",
        result=result,
        shown=shown,
        sign=sign,
        headline=words.headline(result),
        legend=legend(result.labels.tolist()),
        maps=cluster_maps(result),
        mark=mark,
        over_all=effects.over_all(result),
        effects=effects.effects_by_cluster(result),
        features=tables.features(result) if result.k > 1 else (),
        sites=tables.counts(result, tables.site_cells(result)),
        truth=tables.counts(result, result.truth[1]) if result.truth[0] else None,
        figures=tables.figures(result) if result.choice is not None or result.figures else (),
        decided=decided(result.choice),
        null=choosing.null_picture(result.stability),
        curves=choosing.criteria(result.choice),
        proposals=choosing.proposed(result.choice),
        examples=_examples(result, pictures or {}),
        means=means,
        is_images=is_images,
        is_new=words.is_new(result),
        baselines=tables.baselines(result),
        limits=words.limits(result),
        about={name: value for name, value in result.about.items() if name not in ("parameters",)},
        parameters=result.about.get("parameters", {}),
        version=__version__,
        disclaimer=DISCLAIMER,
    )


def _examples(result: ClusterResult, pictures: Mapping[int, str]) -> tuple[Examples, ...]:
    rows = [row for one in result.clusters for row in (*one.exemplars, *one.outliers)]
    fit = dict(zip(rows, those_that_fit([pictures.get(row, "") for row in rows]), strict=True))

    def example(row: int) -> Example:
        return Example(result.label(row), float(result.typicality[row]), fit[row])

    found = [
        Examples(
            mark(one.label),
            one.n,
            one.share,
            tuple(example(row) for row in one.exemplars),
            tuple(example(row) for row in one.outliers),
        )
        for one in result.clusters
    ]
    return tuple(_pictured_first(one) for one in found)


def _pictured_first(one: Examples) -> Examples:
    """Put rows with a picture before those without, the order kept."""

    def ordered(each: tuple[Example, ...]) -> tuple[Example, ...]:
        return tuple(sorted(each, key=lambda row: not row.picture))

    return replace(one, exemplars=ordered(one.exemplars), outliers=ordered(one.outliers))
