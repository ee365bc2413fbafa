"""Apply the networks to the test scans: label maps on the grid and in native space, and their Dice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.finetuned.native_space import in_native_space
from medunsup.cohort.label_maps import on_template_grid
from medunsup.core.labels import Label
from medunsup.core.progress import Stage, Told
from medunsup.metrics.segmentation import dice
from medunsup.workflows.finetune.data import LabelledScan, Pairs, as_classes
from medunsup.workflows.finetune.figures import GRID, NATIVE, CaseDice

if TYPE_CHECKING:
    from medunsup.supervised.segmentation import Segmentation

Classes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Tested:
    """One test scan: its figures, the true classes (I, J, K) in native space and those of one network."""

    pair: LabelledScan
    figures: CaseDice
    truth: Classes
    predicted: Classes


def tested_scans(
    made: "Segmentation",
    pairs: Pairs,
    labels: Sequence[Label],
    cache: Path,
    told: Told,
    shown: str,
) -> Iterator[Tested]:
    """Yield each test scan as it is done, with the label map of the network that is `shown`."""
    cases = pairs.splits["test"]
    for n, case in enumerate(cases):
        told(Stage(f"testing scans, {n + 1} of {len(cases)}", n / len(cases)))
        yield _tested(made, pairs.read(case, cache), labels, pairs.grid.spacing_mm, shown)


def _tested(
    made: "Segmentation", pair: LabelledScan, labels: Sequence[Label], spacing_mm: float, shown: str
) -> Tested:
    place, numbers = pair.prepared.template_to_scan, range(1, len(labels) + 1)
    truth = as_classes(pair.labels, labels)
    on_grid = on_template_grid(truth, pair.image, place, spacing_mm)
    found: dict[str, dict[str, list[float]]] = {}
    maps: dict[str, Classes] = {}
    for arm in made.arms:
        shares = made.probabilities(arm, pair.values, pair.prepared.mask)
        maps[arm] = in_native_space(shares, place, spacing_mm, pair.image.grid)
        there = shares.argmax(axis=0)
        found[arm] = {
            GRID: [dice(there, on_grid, number) for number in numbers],
            NATIVE: [dice(maps[arm], truth, number) for number in numbers],
        }
    case = pair.case
    return Tested(pair, CaseDice(case.scan.name, case.subject, found), truth, maps[shown])
