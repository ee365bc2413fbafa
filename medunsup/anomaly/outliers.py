"""Scores by PyOD's detectors, on a model's latents or on local features of the scan itself."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.base import Score, State, top_mean
from medunsup.anomaly.data import Array, Mask, Scans
from medunsup.anomaly.features import Rows, every, local_features, spread_out
from medunsup.core.config import Config
from medunsup.core.errors import DependencyError, InputError, UsageError

ROWS_AT_ONCE = 4096  # kernels against all healthy rows would not fit for a whole scan
TOP_PARTS = 0.1


class OutlierConfig(Config):
    """Parameters that all detectors share; a subclass adds PyOD's own under PyOD's names."""

    on: Literal["latents", "patches"] = Field(
        "latents", description="latents: a number a scan; patches: a map from local features, no model needed"
    )
    n_rows: int = Field(20_000, ge=10, description="healthy patches kept, drawn evenly from all scans")
    stride: int = Field(2, ge=1, le=8, description="patches lie so many voxels apart, linear in between")
    seed: int = Field(0, ge=0, description="of the draw and of detectors that draw")


class OutlierScore(Score):
    """Feed standardised rows to one detector and take its `decision_function`, never its labels.

    On latents the rows are what the model's `encode` gives, and the scan's number is the mean of its most
    unusual tenth of rows. On patches they are `local_features`. The state holds the healthy rows, and the
    detector is fitted on them again when it is loaded: nothing pickled is stored.
    """

    Config: ClassVar[type[OutlierConfig]]
    config: Any
    rows_: Rows

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.makes_map = self.config.on == "patches"
        self.needs = () if self.makes_map else ("encode",)

    def fit(self, model: Any, scans: Scans) -> Self:
        """Learn from healthy scans; see `Score.fit`. Raises InputError if the detector refuses their rows."""
        return self._fit_rows(self._healthy_patches(scans) if self.makes_map else _latents(model, scans))

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map from local features; see `Score.map`."""
        at = every(self.config.stride, mask)
        return spread_out(self.score_rows(local_features(values, mask, at)), at, mask, self.config.stride)

    def scan_score(self, model: Any, values: Array, mask: Mask, score_map: Array | None) -> float:
        """Return how unusual the scan's latents are, or the map's summary; see `Score.scan_score`."""
        if self.makes_map:
            return super().scan_score(model, values, mask, score_map)
        return top_mean(self.score_rows(model.encode(values, mask)), TOP_PARTS)

    def score_rows(self, rows: Rows) -> NDArray[np.float64]:
        """Outlier score of each row (P, D), higher is less usual."""
        parts = [rows[n : n + ROWS_AT_ONCE] for n in range(0, len(rows), ROWS_AT_ONCE)]
        scores = [self.detector_.decision_function(self._standardised(part)) for part in parts]
        return np.concatenate(scores) if scores else np.zeros(0)

    def state(self) -> State:
        """Return the healthy rows."""
        return {"rows": self.rows_}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Fit the detector on the stored rows."""
        return self._fit_rows(state["rows"])

    def _fit_rows(self, rows: Rows) -> Self:
        self.rows_ = np.asarray(rows, np.float32)
        name, options = self._named()
        self.detector_ = make_detector(name, self.config.seed, options)
        try:
            self.detector_.fit(self._standardised(self.rows_))
        except (ValueError, np.linalg.LinAlgError) as error:
            raise InputError(
                f"PyOD's {name} cannot be fitted on {len(rows)} healthy rows of {rows.shape[1]} features: "
                f"{error}. Give more scans, or a model with fewer latents."
            ) from error
        return self

    def _named(self) -> tuple[str, dict[str, Any]]:
        """PyOD's detector and its parameters: what the score's config has beyond the shared ones."""
        own = {key: value for key, value in self.config if key not in OutlierConfig.model_fields}
        return self.method_name, own

    def _standardised(self, rows: Rows) -> NDArray[np.float64]:
        reference = self.rows_.astype(np.float64)
        spread = reference.std(axis=0)
        return (rows - reference.mean(axis=0)) / np.where(spread > 0, spread, 1)

    def _healthy_patches(self, scans: Scans) -> Rows:
        rng = np.random.default_rng(self.config.seed)
        share = -(-self.config.n_rows // len(scans))
        parts = []
        for values, mask in scans:
            inside = np.flatnonzero(mask)
            at = np.zeros(mask.size, bool)
            at[rng.choice(inside, min(share, inside.size), replace=False)] = True
            parts.append(local_features(values, mask, at.reshape(mask.shape)))
        return np.concatenate(parts)


def make_detector(name: str, seed: int, options: Mapping[str, Any]) -> Any:
    """Build any of PyOD's detectors by its module's name, such as "lof", "iforest" or "hbos".

    Raises UsageError naming the nearest detector or the parameter it does not take, DependencyError if
    PyOD itself lacks a package for it.
    """
    kind = _detector_class(name)
    known = signature(kind).parameters
    wrong = sorted(set(options) - set(known))
    if wrong:
        raise UsageError(f"PyOD's {name} has no parameter {wrong[0]!r}. Known: {', '.join(known)}.")
    return kind(**options, **({"random_state": seed} if "random_state" in known else {}))


def _detector_class(name: str) -> type:
    import pyod.models

    modules = [item.name for item in iter_modules(pyod.models.__path__) if not item.name.startswith("_")]
    if name not in modules:
        near = get_close_matches(name, modules, n=1)
        raise UsageError(f"PyOD has no detector {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    try:
        module = import_module(f"pyod.models.{name}")
    except ImportError as error:
        raise DependencyError(f"PyOD's {name} needs a package that is not here: {error}.") from error
    wanted = name.replace("_", "")
    found = [kind for key, kind in vars(module).items() if key.lower() == wanted and isinstance(kind, type)]
    if not found:
        raise UsageError(f"PyOD's module {name!r} holds no detector of that name.")
    return found[0]


def _latents(model: Any, scans: Scans) -> Rows:
    return np.concatenate([model.encode(values, mask) for values, mask in scans])
