"""Maps of the rows, a mark a row in the colour and shape of its cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

from medunsup.cohort.clusters.result import ClusterResult
from medunsup.report.base.scatter_plot.scatter import Dot, Scatter, scatter
from medunsup.report.cluster.marks import Mark, mark

TITLES = {"pca": "Principal components", "umap": "UMAP"}
READINGS = {
    "pca": "Distances are those of the features, as far as two straight axes hold them.",
    "umap": "Distances between groups and their sizes mean little here, and groups appear in noise as well.",
}


@dataclass(frozen=True)
class ClusterMap:
    """One map: marks by cluster, the largest cluster first, so that smaller ones lie above."""

    title: str
    reading: str
    drawn: Scatter
    groups: tuple[tuple[Mark, tuple[Dot, ...]], ...]


def cluster_maps(result: ClusterResult) -> tuple[ClusterMap, ...]:
    """Draw each map of the result."""
    return tuple(_map(result, name) for name in TITLES if name in result.maps)


def legend(labels: Sequence[int]) -> tuple[tuple[Mark, int], ...]:
    """Return the mark of each cluster with its number of rows; those in none last."""
    found = sorted(set(labels), key=lambda label: (label < 0, label))
    return tuple((mark(label), list(labels).count(label)) for label in found)


def _map(result: ClusterResult, name: str) -> ClusterMap:
    labels = result.labels.tolist()
    axes = (f"{name}_1", f"{name}_2")
    colours = [mark(label).colour for label in labels]
    rows = scatter(result.maps[name], colours, str, axes, background=result.background.get(name))
    dots: dict[int, list[Dot]] = {label: [] for label in sorted(set(labels))}
    for dot in rows.dots:
        row = int(dot.label)
        dots[labels[row]].append(
            Dot(dot.x, dot.y, dot.radius, dot.colour, f"{result.label(row)}, {mark(labels[row]).name}")
        )
    groups = tuple((mark(label), tuple(each)) for label, each in dots.items())
    return ClusterMap(TITLES[name], READINGS[name], rows, groups)
