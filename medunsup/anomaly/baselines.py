"""Baselines that stand beside every model: what is not better than these is not worth its cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.base import AnomalyModel, Score, State, joined, part_of
from medunsup.anomaly.factory import build_model, build_score
from medunsup.anomaly.postprocess import Floors, learned_floors, postprocess
from medunsup.core.renamed import by_new_names
from medunsup.preprocess.geometry.template_grid import SPACING_MM
from medunsup.training.scan_stack import Array, Mask, Scans


@dataclass(frozen=True)
class Baseline:
    """A score with a classic model behind it, or none; `words` say what it is.

    `native`: works in native space. The others need the model space and go through the model's steps.
    """

    words: str
    score: str
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    native: bool = False


def _rank(words: str, tail: str, median_size: int = 1, *, native: bool = True) -> Baseline:
    return Baseline(words, "intensity", {"tail": tail, "median_size": median_size}, native=native)


RENAMED = {"lattice_high": "template_grid_high", "lattice_low": "template_grid_low"}  # in earlier versions
BASELINES: dict[str, Baseline] = {
    "prevalence": Baseline("all voxels alike: what chance reaches", "chance", native=True),
    "intensity_high": _rank("intensity, bright first", "high"),
    "intensity_low": _rank("intensity, dark first", "low"),
    "rank_high": _rank("intensity rank, bright first, median 3³", "high", 3),
    "rank_low": _rank("intensity rank, dark first, median 3³", "low", 3),
    # On fine voxels coarser ones smooth as well: this much of a model's gain is not the model's.
    "template_grid_high": _rank("intensity on the template grid, bright first", "high", native=False),
    "template_grid_low": _rank("intensity on the template grid, dark first", "low", native=False),
    "healthy_z": Baseline("voxel-wise deviation from healthy scans", "deviation", model="healthy_atlas"),
    "healthy_z_blurred": Baseline("deviation of the blurred scan", "zscore", model="healthy_atlas"),
    "asymmetry": Baseline("difference of left and right", "asymmetry"),
    "pca_residual": Baseline("residual of principal components", "absolute", model="pca"),
    "pca_lof": Baseline("local outlier factor of principal components", "lof", model="pca"),
    "pca_ecod": Baseline("tails of principal components (ECOD)", "ecod", model="pca"),
}


def same_as(model: str, score: str) -> frozenset[str]:
    """Name the baselines that a model with this score is itself: nothing to compare it with."""
    return frozenset(name for name, one in BASELINES.items() if (one.model, one.score) == (model, score))


class Baselines:
    """All baselines, fitted once on healthy scans in the model space; their classic models are shared.

    Those without a model work unfitted. `pca_lof` and `pca_ecod` make no map, only a number a scan. Maps that
    need the model space go through `steps`, those of the model they stand beside: a step must not make the
    model look better. `native` ones stand there with a median and without.
    """

    def __init__(self, *, steps: Sequence[str] = (), spacing_mm: float = SPACING_MM) -> None:
        self.steps, self.spacing_mm = tuple(steps), spacing_mm
        self.models_: dict[str, AnomalyModel] = {}
        self.floors_: dict[str, Floors] = {}
        self.scores_: dict[str, Score] = {
            name: build_score(one.score, one.options) for name, one in BASELINES.items() if one.model is None
        }

    def fit(self, scans: Scans) -> Self:
        """Learn the classic models and what is usual under them."""
        for name, model in _new_models().items():
            self.models_[name] = model.fit(scans)
        for name, score in self._new_scores().items():
            self.scores_[name] = score.fit(self._model(name), scans)
        for name, score in self.scores_.items():
            if score.makes_map and self._steps(name):
                raw = partial(score.map, self._model(name))
                self.floors_[name] = learned_floors(self._steps(name), raw, scans, (self.spacing_mm,) * 3)
        return self

    def map(self, name: str, values: Array, mask: Mask) -> Array | None:
        """Return one baseline's map (I, J, K) of a scan (C, I, J, K), None if it makes none."""
        score = self.scores_[name]
        if not score.makes_map:
            return None
        found = score.map(self._model(name), values, mask)
        floors = self.floors_.get(name, ())
        return postprocess(self._steps(name), found, mask, (self.spacing_mm,) * 3, floors)

    def scan_score(self, name: str, values: Array, mask: Mask, score_map: Array | None) -> float:
        """Return one baseline's number for a scan, from its map if it makes one."""
        return self.scores_[name].scan_score(self._model(name), values, mask, score_map)

    @property
    def spread(self) -> Array:
        """Standard deviation (C, I, J, K) of each voxel over healthy scans: a unit of contrast."""
        atlas: Any = self.models_["healthy_atlas"]
        return atlas.statistics_.sd

    def state(self) -> State:
        """Everything learned, as arrays named "pca/components", "pca_lof/rows" and so on."""
        owners: dict[str, AnomalyModel | Score] = {**self.models_, **self.scores_}
        floors = {name: np.asarray(one, dtype=np.float64) for name, one in self.floors_.items()}
        return joined({**{name: one.state() for name, one in owners.items()}, "floors": floors})

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Take over what `state` gave, of all baselines or of some; `shape` is (C, I, J, K)."""
        for name, model in _new_models().items():
            if learned := part_of(state, name):
                self.models_[name] = model.load_state(learned, shape)
        for name, score in self._new_scores().items():
            self.scores_[name] = score.load_state(part_of(state, name))
        floors = by_new_names(part_of(state, "floors"), RENAMED)
        self.floors_ = {name: tuple(one.tolist()) for name, one in floors.items()}
        return self

    def _steps(self, name: str) -> tuple[str, ...]:
        return () if BASELINES[name].native else self.steps

    def _model(self, name: str) -> AnomalyModel | None:
        model = BASELINES[name].model
        return self.models_[model] if model else None

    def _new_scores(self) -> dict[str, Score]:
        return {
            name: build_score(one.score, one.options, model=self._model(name))
            for name, one in BASELINES.items()
            if one.model in self.models_
        }


def _new_models() -> dict[str, AnomalyModel]:
    return {
        name: build_model(name) for name in sorted({one.model for one in BASELINES.values() if one.model})
    }
