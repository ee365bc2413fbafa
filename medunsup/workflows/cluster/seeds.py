"""The same method fitted with several seeds; the first is kept, labels choose none."""

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from medunsup.clustering.base import Clustering, Labels
from medunsup.cohort.clusters.parts import OverSeeds
from medunsup.core.errors import InputError
from medunsup.core.pace import Pace
from medunsup.core.passes import Passes
from medunsup.core.progress import Stage, Told
from medunsup.core.version import __version__
from medunsup.core.watching import watched
from medunsup.io.files.artifact_folder import arrays_as_bytes, read_arrays
from medunsup.io.files.atomic import atomic_path
from medunsup.metrics.bootstrap import CONFIDENCE, NAN
from medunsup.metrics.clustering import ari, clustering_accuracy, nmi, occupancy, silhouette
from medunsup.metrics.resampled import resampled_interval
from medunsup.workflows.cluster.method import Maker

LONG_S = 2.0  # a fit that took longer is kept until the run is done
MOST_MEASURED = 3_000  # rows of the silhouette, whose time grows with their square
WORK = ".seeds"
MEASURES = (("accuracy", clustering_accuracy, 0.0), ("nmi", nmi, 0.0), ("ari", ari, -1.0))  # and their least

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KeptSeeds:
    """Where finished seeds are kept, so that a run that was ended goes on."""

    folder: Path

    def read(self, seed: int) -> dict[str, NDArray[Any]] | None:
        """Return what a seed's fit learned, or None."""
        path = self.folder / f"{seed}.safetensors"
        try:
            return read_arrays(path) if path.is_file() else None
        except InputError:
            return None  # a file that was cut short is made again

    def write(self, seed: int, fitted: Clustering) -> None:
        """Keep what was learned."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.folder / f"{seed}.safetensors") as temporary:
            temporary.write_bytes(arrays_as_bytes(fitted.state()))


def kept_seeds(out: Path | None, maker: Maker, k: int, inputs: NDArray[Any]) -> KeptSeeds | None:
    """Name the folder of seeds of this method on these rows."""
    if out is None:
        return None
    asked = json.dumps([maker.name, dict(maker.parameters), k, __version__], sort_keys=True, default=str)
    digest = sha256(asked.encode() + np.ascontiguousarray(inputs).tobytes()).hexdigest()[:16]
    return KeptSeeds(out / WORK / digest)


def forget_seeds(out: Path) -> None:
    """Remove what was kept, once all is done."""
    shutil.rmtree(out / WORK, ignore_errors=True)


def fit_seeds(
    maker: Maker, inputs: NDArray[Any], k: int, seeds: Sequence[int], kept: KeptSeeds | None, told: Told
) -> tuple[Clustering, list[Labels]]:
    """Fit with each seed; return the first fit, and the labels of all."""
    pace, first, labels = Pace(len(seeds)), None, []
    seconds_left: float | None = None
    for n, seed in enumerate(seeds):
        stage = Stage(f"{maker.name}, seed {n + 1} of {len(seeds)}", n / len(seeds), seconds_left)
        told(stage)
        state = None if kept is None else kept.read(seed)
        model = maker(k, seed)
        began = perf_counter()
        with watched(Passes(stage, len(seeds), model.get_params(), told)):
            fitted = model.fit(inputs) if state is None else model.load_state(state)
        if kept is not None and state is None and perf_counter() - began > LONG_S:
            kept.write(seed, fitted)
        seconds_left = pace.done(took_time=state is None)
        first = first or fitted
        labels.append(fitted.labels_)
    assert first is not None
    return first, labels


def over(values: Sequence[float], least: float = -1.0) -> OverSeeds:
    """Return mean, deviation and interval (Student's t) of values, those that are NaN left out.

    The interval ends where figures of this kind do, at `least` and 1.
    """
    known = np.array([value for value in values if math.isfinite(value)])
    if known.size < 2:
        mean = float(known[0]) if known.size else NAN
        return OverSeeds(mean, NAN, NAN, NAN, tuple(values))
    mean, sd = float(known.mean()), float(known.std(ddof=1))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, known.size - 1)) * sd / math.sqrt(known.size)
    return OverSeeds(mean, sd, max(least, mean - half), min(1.0, mean + half), tuple(values))


def over_halves(values: Sequence[float]) -> OverSeeds:
    """Return mean, deviation and interval of values of halves of the same rows, which ends at 1."""
    found = resampled_interval(values)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else NAN
    return OverSeeds(found.value, sd, max(-1.0, found.low), min(1.0, found.high), tuple(values))


def figures(
    labels: Sequence[Labels], rows: Floats, k: int, truth: Sequence[str] = ()
) -> Mapping[str, OverSeeds]:
    """Measure the labels of each seed: by themselves, and beside known classes where there are some."""
    chosen = np.arange(len(rows))
    if len(rows) > MOST_MEASURED:
        chosen = np.linspace(0, len(rows) - 1, MOST_MEASURED).astype(np.intp)
    once: dict[bytes, float] = {}
    for each in labels:  # methods without chance give the same ones
        if each.tobytes() not in once:
            once[each.tobytes()] = silhouette(rows[chosen], each[chosen])
    found = {
        "silhouette": over([once[each.tobytes()] for each in labels]),
        "smallest": over([float(occupancy(each, max(k, int(each.max()) + 1)).min()) for each in labels], 0),
    }
    is_known = np.array([bool(word) for word in truth])
    if is_known.any():
        classes = np.array(truth)[is_known]
        for name, measure, least in MEASURES:
            found[name] = over([measure(classes, each[is_known]) for each in labels], least)
    return found


def agreement(labels: Sequence[Labels]) -> OverSeeds | None:
    """Return how well clusters of several seeds agree, each pair; None of one seed."""
    pairs = [ari(first, second) for first, second in combinations(labels, 2)]
    if not pairs:
        return None
    mean, sd = float(np.mean(pairs)), float(np.std(pairs))
    return OverSeeds(mean, sd, min(pairs), max(pairs), tuple(pairs))
