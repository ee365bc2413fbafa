"""Scores by PyOD's detectors, on a model's latents or on local features of the scan itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.base import Score, State, top_mean
from medunsup.anomaly.flat import FlatVoxels
from medunsup.anomaly.scores._local_features import Rows, every, local_features, spread_out
from medunsup.anomaly.scores._pyod_detectors import RowDetector, fit_detector, make_detector
from medunsup.core.config import Config
from medunsup.core.errors import InputError
from medunsup.training.scan_stack import Array, Mask, Scans

ROWS_AT_ONCE = 4096  # kernels against all healthy rows would not fit for a whole scan
TOP_PARTS = 0.1
CONSTANT, MOVED = 1e-6, 1e-3
DIGITS = 6  # of a standardised row: rows that agree in them are equal

log = logging.getLogger(__name__)


class OutlierConfig(Config):
    """Parameters that all detectors share; a subclass adds PyOD's own under PyOD's names."""

    on: Literal["latents", "patches"] = Field(
        "latents",
        description="'latents' judges the model's codes and gives a number a scan; 'patches' judges local "
        "features and gives a map, without a model",
    )
    n_rows: int = Field(20_000, ge=10, description="healthy patches kept, drawn evenly from all scans")
    stride: int = Field(
        2,
        ge=1,
        le=8,
        description="distance in voxels between the patches judged; the map is linear in between",
    )
    seed: int = Field(0, ge=0, description="seed of the draw, and of detectors that draw")


class OutlierScore(Score):
    """Feed standardised rows to one detector and take its `decision_function`, never its labels.

    On latents the rows are what the model's `encode` gives, and the scan's number is the mean of its most
    unusual tenth of rows. On patches they are `local_features`; voxels that are the same in all healthy scans
    and in this one say nothing and score 0. Equal healthy rows count once. The state holds the healthy rows,
    and the detector is fitted on them again when it is loaded: nothing pickled is stored.
    """

    Config: ClassVar[type[OutlierConfig]]
    config: Any
    rows_: Rows
    flat_: FlatVoxels
    columns_: "Columns"
    detector_: RowDetector
    slope_: float

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.makes_map = self.config.on == "patches"
        self.needs = () if self.makes_map else ("encode",)

    def fit(self, model: Any, scans: Scans) -> Self:
        """Fit the detector on rows of healthy scans.

        Raises InputError if the detector cannot be fitted on their rows, UsageError if it is none that judges
        a scan by itself (`pyod_detectors`).
        """
        self.flat_ = FlatVoxels.of(scans) if self.makes_map else FlatVoxels()
        return self._fit_rows(self._healthy_patches(scans) if self.makes_map else _latents(model, scans))

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map (I, J, K) from local features, 0 outside the mask; the model may be None."""
        varying = self.flat_.varying(values, mask)
        at = every(self.config.stride, varying)
        scores = self.score_rows(local_features(values, varying, at))
        return spread_out(scores, at, varying, self.config.stride)

    def scan_score(self, model: Any, values: Array, mask: Mask, score_map: Array | None) -> float:
        """Return how unusual the codes of the scan are, or the mean of the highest 1 % of its map."""
        if self.makes_map:
            return super().scan_score(model, values, mask, score_map)
        return top_mean(self.score_rows(model.encode(values, mask)), TOP_PARTS)

    def score_rows(self, rows: Rows) -> NDArray[np.float64]:
        """Outlier score of each row (P, D), higher is less usual.

        Raises InputError for rows, or scores of them, that are no finite numbers.
        """
        parts = [rows[first : first + ROWS_AT_ONCE] for first in range(0, len(rows), ROWS_AT_ONCE)]
        scores = np.concatenate([self._scored(part) for part in parts]) if parts else np.zeros(0)
        if not np.isfinite(scores).all():
            raise InputError(
                f"{self.method_name}: a score is not a finite number. Look at the scan's values."
            )
        return scores

    def state(self) -> State:
        """Return the healthy rows, and the voxels that never vary if there are any."""
        return {"rows": self.rows_, **self.flat_.state()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Fit the detector on the stored rows."""
        self.flat_ = FlatVoxels.of_state(state)
        return self._fit_rows(state["rows"])

    def _fit_rows(self, rows: Rows) -> Self:
        _refuse_no_numbers(rows, self.method_name)
        self.rows_ = _distinct(np.asarray(rows, np.float32), self.method_name)
        self.columns_ = Columns.of(self.rows_)
        name, self.detector_ = self._detector()
        self.slope_ = fit_detector(name, self.detector_, self.columns_.standardised(self.rows_)[0])
        return self

    def _detector(self) -> tuple[str, RowDetector]:
        name, options = self._named()
        return name, make_detector(name, self.config.seed, options)

    def _named(self) -> tuple[str, dict[str, Any]]:
        """PyOD's detector and its parameters: what the score's config has beyond the shared ones."""
        own = {key: value for key, value in self.config if key not in OutlierConfig.model_fields}
        return self.method_name, own

    def _scored(self, rows: Rows) -> NDArray[np.float64]:
        _refuse_no_numbers(rows, self.method_name)
        standardised, moved = self.columns_.standardised(rows)
        scores = np.asarray(self.detector_.decision_function(standardised), dtype=np.float64)
        return scores + self.slope_ * moved

    def _healthy_patches(self, scans: Scans) -> Rows:
        rng = np.random.default_rng(self.config.seed)
        share = -(-self.config.n_rows // len(scans))
        parts = []
        for values, whole in scans:
            mask = self.flat_.varying(values, whole)
            inside = np.flatnonzero(mask)
            at = np.zeros(mask.size, bool)
            at[rng.choice(inside, min(share, inside.size), replace=False)] = True
            parts.append(local_features(values, mask, at.reshape(mask.shape)))
        return np.concatenate(parts)


@dataclass(frozen=True)
class Columns:
    """Mean and spread (D,) of each feature over healthy rows; `varies` (D,) where it has a spread at all."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    varies: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """Measure healthy rows (P, D). Raises InputError if they are all equal."""
        reference = rows.astype(np.float64)
        spread = reference.std(axis=0)
        varies = spread > CONSTANT * np.abs(reference).max(axis=0)
        if not varies.any():
            raise InputError(
                f"All {len(rows)} healthy rows are equal, so nothing tells what is unusual. Give other scans."
            )
        # A feature that never varied has no unit of its own: it is measured in that of the others.
        return cls(reference.mean(axis=0), np.where(varies, spread, np.median(spread[varies])), varies)

    def standardised(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the features that vary (P, V) in healthy sd, and how far the others moved (P,)."""
        z = (rows - self.mean) / self.spread
        still = np.where(np.abs(z) > MOVED, z, 0)[:, ~self.varies]
        return z[:, self.varies], np.sqrt((still**2).sum(axis=1))


def _distinct(rows: Rows, name: str) -> Rows:
    """Leave out rows that are equal to an earlier one: a density or covariance of them has no meaning."""
    if len(rows) < 2:
        return rows
    z = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), np.finfo(np.float32).tiny)
    first = np.sort(np.unique(np.round(z, DIGITS), axis=0, return_index=True)[1])
    if 2 * len(first) < len(rows):
        log.warning(
            "%s: %d of %d healthy rows are equal to others and count once: flat areas, or scans given twice.",
            name,
            len(rows) - len(first),
            len(rows),
        )
    return rows[first]


def _refuse_no_numbers(rows: Rows, name: str) -> None:
    if not np.isfinite(rows).all():
        raise InputError(f"{name}: a row holds values that are no finite numbers. Look at the scan's values.")


def _latents(model: Any, scans: Scans) -> Rows:
    return np.concatenate([model.encode(values, mask) for values, mask in scans])
