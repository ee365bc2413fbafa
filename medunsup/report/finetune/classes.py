"""How one classifier names the classes of the test subjects, and ROC curves of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from medunsup.metrics.bootstrap import Estimate
from medunsup.report.base.charts import Tick, pair
from medunsup.report.base.curves import Curves, Drawn
from medunsup.report.finetune.page import interval

SIDE = 320.0
FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
STYLES = ("first", "second", "third")  # solid, dashed, dotted
ACROSS = np.linspace(0, 1, 201)  # where the curves of more than two classes are averaged

Floats = NDArray[np.float64]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Cell:
    """How many items of one class were given another; `share` is that among all of the class."""

    count: int
    share: float


@dataclass(frozen=True)
class Confusion:
    """Rows are the true classes, columns those given."""

    classes: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    network: str


@dataclass(frozen=True)
class ByClass:
    """What the page shows of the classes: who was taken for whom, and ROC curves."""

    confusion: Confusion
    roc: Curves
    caption: str


def confusion(probabilities: Floats, labels: Labels, classes: Sequence[str], network: str) -> Confusion:
    """Count which class the items (N,) of each class are given: the most probable one of (N, K)."""
    counts = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(len(classes)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rows = [
        [Cell(int(count), float(share)) for count, share in zip(*row, strict=True)]
        for row in zip(counts, shares, strict=True)
    ]
    return Confusion(classes, rows, network)


def roc(
    said: Mapping[str, Floats], labels: Labels, words: Mapping[str, str], auc: Mapping[str, Estimate]
) -> Curves:
    """Draw ROC curves of at most three networks, with the AUC and its interval in the legend."""
    drawn = []
    for style, (arm, probabilities) in zip(STYLES, said.items(), strict=False):
        points = np.stack(roc_points(probabilities, labels), axis=1)
        places = points * (SIDE, -SIDE) + (0, SIDE)
        path = "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in places)
        drawn.append(Drawn(f"{words[arm]}, AUC {interval(auc[arm])}", style, path, pair(places[-1])))
    return Curves(
        tuple(drawn),
        tuple(Tick(SIDE * share, f"{share:g}") for share in FIFTHS),
        tuple(Tick(SIDE * (1 - share), f"{share:g}") for share in FIFTHS),
        "; ".join(one.name for one in drawn) + ".",
        width=SIDE,
        height=SIDE,
    )


def roc_points(probabilities: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """Return false-positive rates and sensitivities, both rising from 0 to 1.

    Of two classes they are those of the second; of more the mean over each class against the rest.
    A class that no item has is left out.
    """
    n_classes = probabilities.shape[1]
    asked = (1,) if n_classes == 2 else [one for one in range(n_classes) if 0 < np.mean(labels == one) < 1]
    each = [roc_curve(labels == one, probabilities[:, one])[:2] for one in asked]
    if len(each) == 1:
        return each[0]
    found = np.mean([np.interp(ACROSS, *one) for one in each], axis=0)
    return np.append(0.0, ACROSS), np.append(0.0, found)
