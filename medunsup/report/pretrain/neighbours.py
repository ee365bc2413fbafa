"""Which items an encoder takes for alike: some of them, each with its nearest of other subjects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.images import colour_picture
from medunsup.report.pretrain.sample import ShownSample

ROWS, NEAREST = 6, 4
QUALITY = 88


@dataclass(frozen=True)
class Seen:
    """One item as the page shows it; `similarity` is the cosine to the first of its row, None of itself."""

    picture: str
    name: str
    place: str
    label: str
    similarity: float | None = None


@dataclass(frozen=True)
class Row:
    """An item, and those of other subjects whose features are nearest."""

    item: Seen
    nearest: tuple[Seen, ...]


def neighbours(sample: ShownSample) -> tuple[Row, ...]:
    """Choose six items, of as many subjects as there are, and find their nearest of other subjects."""
    units = unit(sample.features)
    alike = units @ units.T
    alike[sample.subjects[:, None] == sample.subjects] = -np.inf
    rows = []
    for n in _chosen(sample.subjects):
        order = np.argsort(-alike[n], kind="stable")[:NEAREST]
        found = [int(m) for m in order if np.isfinite(alike[n, m])]
        if found:
            rows.append(Row(_seen(sample, n), tuple(_seen(sample, m, float(alike[n, m])) for m in found)))
    return tuple(rows)


def unit(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale features (N, D) to length 1; rows of zeros stay."""
    rows = np.nan_to_num(np.asarray(features, np.float64))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def _chosen(subjects: NDArray[np.intp]) -> list[int]:
    """Take items evenly spread over all, each of a subject that has none yet while there is one."""
    n = len(subjects)
    wanted = np.linspace(0, n - 1, 2 * min(ROWS, n) + 1)[1::2].astype(int)
    taken: list[int] = []
    for at in wanted:
        near = np.argsort(np.abs(np.arange(n) - at), kind="stable")
        is_fresh, is_free = ~np.isin(subjects[near], subjects[taken]), ~np.isin(near, taken)
        taken.append(int(near[np.argmax(is_fresh if is_fresh.any() else is_free)]))
    return taken


def _seen(sample: ShownSample, n: int, similarity: float | None = None) -> Seen:
    picture = colour_picture(sample.pictures[n], QUALITY)
    return Seen(picture, sample.names[n], sample.places[n], sample.label_of(n), similarity)
