"""What the methods make of one scan: the model's map after each step, and every baseline's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.prepare import Prepared
from medunsup.metrics.comparison import MODEL
from medunsup.workflows.evaluate.figures import precision
from medunsup.workflows.evaluate.judge import Judge
from medunsup.workflows.evaluate.native_scan import NativeScan

Array = NDArray[np.float32]
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """What a method says of a scan: a score a voxel in native space (None: it makes no map), one in all."""

    method: str
    voxels: Array | None
    scan_score: float


@dataclass(frozen=True, eq=False)
class ModelMap(ScoreMap):
    """The model's map; `steps`: average precision before post-processing ("none") and after each step."""

    voxels: Array
    steps: dict[str, float]


def model_map(judge: Judge, prepared: Prepared, native: NativeScan, say: Say) -> ModelMap:
    """Let the model look at a scan, and measure what each step of post-processing changes."""
    healthy, steps = judge.model.healthy, {}
    for step, found in _stepped(judge, prepared):
        say(f"model, {step}")
        voxels = native.resampled(found)
        steps[step] = precision(native, voxels)
    scan_score = healthy.scan_score(prepared.values, prepared.mask, found)
    return ModelMap(MODEL, voxels, float(scan_score), steps)


def baseline_maps(judge: Judge, prepared: Prepared, native: NativeScan, say: Say) -> Iterator[ScoreMap]:
    """Let each baseline look at a scan, on the template grid or in native space, as it is made for."""
    from medunsup.anomaly.baselines import BASELINES

    baselines = judge.baselines
    if baselines is None:
        return
    for name in baselines.scores_:
        say(name)
        is_native = BASELINES[name].native
        on_scan = (native.image.data[None], native.brain)
        values, mask = on_scan if is_native else (prepared.values, prepared.mask)
        found = baselines.map(name, values, mask)
        scan_score = baselines.scan_score(name, values, mask, found)
        voxels = found if found is None or is_native else native.resampled(found)
        yield ScoreMap(name, voxels, float(scan_score))


def _stepped(judge: Judge, prepared: Prepared) -> Iterator[tuple[str, Array]]:
    """Yield the map on the template grid as the score gives it ("none"), and after each step."""
    from medunsup.anomaly.postprocess import apply_step, with_floors

    healthy = judge.model.healthy
    found = healthy.score.map(healthy.model, prepared.values, prepared.mask)
    yield "none", found
    for step, floor in with_floors(healthy.steps, healthy.floors):
        found = apply_step(step, found, prepared.mask, (healthy.spacing_mm,) * 3, floor)
        yield step, found
