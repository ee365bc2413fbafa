"""How small and faint a lesion may be, and where a score is blind: measured with synthetic lesions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from medunsup.anomaly.calibration import calibrate
from medunsup.anomaly.synthetic.lesions import EDGE_MM, Spacing, WithLesion, insert, insert_level
from medunsup.anomaly.synthetic.shapes import ellipsoid, place
from medunsup.metrics.components import components
from medunsup.metrics.froc import count_lesions
from medunsup.training.scan_stack import Array, Mask, Scans

ScoreMap = Callable[[Array, Mask], Array]
Shape = Callable[[float, np.random.Generator], Mask]
Paint = Callable[..., WithLesion]


@dataclass(frozen=True)
class Outcome:
    """What became of synthetic lesions: one entry a lesion, in the order of the scans, `repeats` of each.

    `found` (..., N) at the threshold, `average_precision` and `prevalence` (..., N) of its scan. The leading
    axes are (volumes, contrasts) of a surface or (levels,) of a curve. `false_positives` is the mean number
    of marked components in the same scans before lesions are inserted.
    """

    found: NDArray[np.bool_]
    average_precision: NDArray[np.float64]
    prevalence: NDArray[np.float64]
    false_positives: float

    @property
    def sensitivity(self) -> NDArray[np.float64]:
        """Share of lesions found."""
        return np.asarray(self.found.mean(axis=-1))


@dataclass(frozen=True)
class SyntheticLesions:
    """Which lesions are inserted where: the same ones for every score that is compared.

    `tissue` (I, J, K) is where they may lie, the brain mask if None, of which a lesion needs a share
    `least_inside`. `shape` draws a shape of a volume in mm³; ellipsoids if None.
    """

    spacing_mm: Spacing
    tissue: Mask | None = None
    least_inside: float = 1.0
    shape: Shape | None = None
    repeats: int = 1
    edge_mm: float = EDGE_MM
    seed: int = 0

    def lesions(self, scans: Scans, volume_mm3: float) -> list[Mask]:
        """Draw a lesion (I, J, K) for each scan, `repeats` times; the same seed draws the same."""
        flat = scans.shape[3] == 1
        shape = self.shape or partial(ellipsoid, spacing_mm=self.spacing_mm, flat=flat)
        drawn = []
        for n in range(len(scans) * self.repeats):
            generator = np.random.default_rng([self.seed, n, round(volume_mm3)])
            mask = scans.masks[n // self.repeats]
            tissue = mask if self.tissue is None else self.tissue & mask
            drawn.append(
                place(shape(volume_mm3, generator), tissue, generator, least_inside=self.least_inside)
            )
        return drawn


def threshold_at(
    score_map: ScoreMap,
    scans: Scans,
    false_positives: float,
    *,
    voxel_mm3: float,
    min_cluster_mm3: float = 0.0,
) -> float:
    """Threshold at which healthy scans show so many false positives on average, the same for each score.

    With the scans that lesions are inserted into, scores are compared at one point of their FROC curves;
    what a user will meet instead is `Calibration.component_threshold`, from other scans.
    """
    maps = [score_map(values, mask) for values, mask in scans]
    numbers = [0.0] * len(maps)
    found = calibrate(maps, list(scans.masks), numbers, voxel_mm3=voxel_mm3, min_cluster_mm3=min_cluster_mm3)
    return found.own_component_threshold(false_positives)


def sensitivity_surface(
    score_map: ScoreMap,
    scans: Scans,
    lesions: SyntheticLesions,
    *,
    threshold: float,
    volumes_mm3: Sequence[float],
    contrasts_sd: Sequence[float],
    spread: Array,
    min_cluster_mm3: float = 0.0,
) -> Outcome:
    """Insert lesions of each volume and contrast (`lesions.insert`) into healthy scans and look for them.

    `threshold` is `Calibration.component_threshold(1)` from other healthy scans, or `threshold_at` one false
    alarm a scan, with the same `min_cluster_mm3`. Found is what `metrics.froc` calls found. A contrast of 0
    shows what is found by chance. Each contrast meets the same lesions at the same places.
    """
    paints = [
        partial(
            insert,
            contrast_sd=contrast,
            spread=spread,
            spacing_mm=lesions.spacing_mm,
            edge_mm=lesions.edge_mm,
        )
        for contrast in contrasts_sd
    ]
    search = _Search(score_map, scans, lesions, threshold, min_cluster_mm3)
    rows = [search.measure(lesions.lesions(scans, volume), paints) for volume in volumes_mm3]
    found, precision, prevalence = (np.stack(parts) for parts in zip(*rows, strict=True))
    return Outcome(found, precision, prevalence, search.false_positives())


def blind_spot_curve(
    score_map: ScoreMap,
    scans: Scans,
    lesions: SyntheticLesions,
    *,
    threshold: float,
    levels: Sequence[float],
    volume_mm3: float,
    min_cluster_mm3: float = 0.0,
) -> Outcome:
    """Insert lesions of one constant intensity (`insert_level`), each level in turn, and look for them.

    Where average precision sinks to the prevalence, the score does not see lesions of that intensity.
    Each level meets the same lesions at the same places.
    """
    paints = [
        partial(insert_level, level=level, spacing_mm=lesions.spacing_mm, edge_mm=lesions.edge_mm)
        for level in levels
    ]
    search = _Search(score_map, scans, lesions, threshold, min_cluster_mm3)
    return Outcome(*search.measure(lesions.lesions(scans, volume_mm3), paints), search.false_positives())


@dataclass(frozen=True)
class _Search:
    """Looks for lesions in scans at one threshold."""

    score_map: ScoreMap
    scans: Scans
    lesions: SyntheticLesions
    threshold: float
    min_cluster_mm3: float

    def measure(
        self, lesions: list[Mask], paints: Sequence[Paint]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Return found, average precision and prevalence, each (paints, lesions)."""
        cells = [[self._look(n, lesion, paint) for n, lesion in enumerate(lesions)] for paint in paints]
        found, precision, prevalence = np.moveaxis(np.array(cells, dtype=np.float64), -1, 0)
        return found > 0, precision, prevalence

    def false_positives(self) -> float:
        """Mean number of marked components in the scans as they are."""
        return float(np.mean([self._marked(values, mask)[1] for values, mask in self.scans]))

    def _look(self, n: int, lesion: Mask, paint: Paint) -> tuple[float, float, float]:
        at = n // self.lesions.repeats
        mask = self.scans.masks[at]
        made = paint(self.scans.values[at], mask, lesion)
        scores = self.score_map(made.values, mask)
        counts = count_lesions(
            (scores > self.threshold) & mask,
            made.truth,
            voxel_mm3=self._voxel_mm3,
            least_lesion_mm3=0.0,
            min_cluster_mm3=self.min_cluster_mm3,
        )
        precision = average_precision_score(made.truth[mask], scores[mask])
        return float(counts.n_found > 0), float(precision), float(made.truth.sum() / mask.sum())

    def _marked(self, values: Array, mask: Mask) -> tuple[NDArray[np.int32], int]:
        marked = (self.score_map(values, mask) > self.threshold) & mask
        return components(marked, voxel_mm3=self._voxel_mm3, least_mm3=self.min_cluster_mm3)

    @property
    def _voxel_mm3(self) -> float:
        return float(np.prod(self.lesions.spacing_mm))
