"""A fitted model, its score, post-processing and calibration: all that turns a prepared scan into a map."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.base import AnomalyModel, Score, State, check_mask, joined, part_of
from medunsup.anomaly.calibration import Calibration, calibrate
from medunsup.anomaly.factory import build_model, build_score
from medunsup.anomaly.postprocess import Floors, postprocess
from medunsup.core.errors import UsageError
from medunsup.io.files.memmap import stacked
from medunsup.training.scan_stack import Array, Mask, Scans

Names = Mapping[str, Any]


@dataclass(frozen=True)
class HealthyModel:
    """What was learned from healthy scans on one grid of `spacing_mm`."""

    model: AnomalyModel
    score: Score
    steps: tuple[str, ...]
    shape: tuple[int, int, int, int]
    spacing_mm: float
    calibration: Calibration
    floors: Floors = ()

    def map(self, values: Array, mask: Mask) -> Array:
        """Return the post-processed map (I, J, K) of one scan (C, I, J, K), 0 outside the mask."""
        return score_map(self.model, self.score, self.steps, values, mask, self.spacing_mm, self.floors)

    def scan_score(self, values: Array, mask: Mask, found: Array) -> float:
        """Return one number for the scan, from its map where the score has no own."""
        return self.score.scan_score(self.model, values, mask, found)

    def state(self) -> State:
        """Everything learned, as arrays named "model/...", "score/...", "steps/..." and "calibration/..."."""
        return joined(
            {
                "model": self.model.state(),
                "score": self.score.state(),
                "steps": {"floors": np.asarray(self.floors, dtype=np.float64)},
                "calibration": self.calibration.state(),
            }
        )

    @classmethod
    def of_state(
        cls,
        state: Mapping[str, NDArray[Any]],
        *,
        model: tuple[str, Names],
        score: tuple[str, Names],
        steps: Sequence[str],
        shape: tuple[int, int, int, int],
        spacing_mm: float,
    ) -> Self:
        """Take over what `state` gave; `model` and `score` are names with their parameters.

        Folders of version 0.1.0 hold no floors: their steps divide by whatever a map has.
        """
        fitted = build_model(*model).load_state(part_of(state, "model"), shape)
        own = build_score(*score, model=fitted).load_state(part_of(state, "score"))
        calibration = Calibration.from_state(part_of(state, "calibration"))
        floors = tuple(part_of(state, "steps").get("floors", np.zeros(0)).tolist())
        return cls(fitted, own, tuple(steps), shape, spacing_mm, calibration, floors)


def score_map(
    model: Any,
    score: Score,
    steps: Sequence[str],
    values: Array,
    mask: Mask,
    spacing_mm: float,
    floors: Floors = (),
) -> Array:
    """Score one scan and take the map through the steps. Raises InputError if the mask is empty."""
    check_mask(mask, score.method_name)
    found = score.map(model, values, mask)
    return postprocess(steps, found, mask, (spacing_mm,) * 3, floors)


def calibrated(
    model: AnomalyModel,
    score: Score,
    steps: Sequence[str],
    scans: Scans,
    *,
    spacing_mm: float,
    min_cluster_mm3: float,
    floors: Floors = (),
    folder: Path | None = None,
) -> Calibration:
    """Calibrate on healthy scans the model was not trained on.

    `floors` are the steps' (`postprocess.learned_floors`). With `folder` the maps lie there in a file
    meanwhile, instead of in memory.

    Raises UsageError for a score that makes no map.
    """
    if not score.makes_map:
        raise UsageError(f"The score {score.method_name} makes no map; detect needs one that does.")
    in_memory: list[Array] = []
    numbers = []
    file = None if folder is None else folder / "maps.npy"
    room = stacked(file, scans.masks.shape, np.float32) if file else nullcontext(in_memory.append)
    with room as keep:
        for values, mask in scans:
            found = score_map(model, score, steps, values, mask, spacing_mm, floors)
            numbers.append(score.scan_score(model, values, mask, found))
            keep(found)
    # Both are sequences of one scan each; nothing is copied.
    maps = list(np.load(file, mmap_mode="r")) if file else in_memory
    return calibrate(
        maps, list(scans.masks), numbers, voxel_mm3=spacing_mm**3, min_cluster_mm3=min_cluster_mm3
    )
