"""PyOD's detectors by name, and what each has to keep: a scan's score is its own, and far is above near."""

import logging
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from inspect import Parameter, signature
from pkgutil import iter_modules
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import DependencyError, InputError, UsageError

Rows = NDArray[np.floating]

FEWEST_ROWS = 5  # fewer say too little to try anything on
N_NEAR, N_FAR, MOST = 32, 4, 0.95
FAR, FURTHER = 3.0, 30.0  # in distances of the furthest healthy row
SAME, NO_LOWER = 1e-4, 0.05  # as shares of the range of all scores compared
FOREIGN_ERRORS = (ValueError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError)

NOT_ITS_OWN = "gives a scan judged alone another score than the same scan among others"
NOT_FAR = "scores rows far from all healthy ones no higher than healthy ones"
NO_ROWS = "is not made for rows of numbers"
WITH_LABELS = "learns from labels of ill and healthy, and here all scans are healthy"
INSTEAD = "Take the score knn, lof, mcd, kpca or ecod, or of PyOD iforest, hbos, gmm, kde or ocsvm."
REFUSED = {
    **dict.fromkeys(
        (
            "ae1svm",
            "alad",
            "cd",
            "cof",
            "copod",
            "dif",
            "ecod",
            "lmdd",
            "loci",
            "rgraph",
            "rod",
            "sod",
            "sos",
        ),
        NOT_ITS_OWN,
    ),
    "vae": "draws at random, so it " + NOT_ITS_OWN,
    "qmcd": NOT_FAR,
    "loda": NOT_FAR,
    "pca": "measures the distance to the tips of eigenvectors and misses broken correlations",
    "mad": "takes a single number a row",
    **dict.fromkeys(("devnet", "xgbod"), WITH_LABELS),
}
OTHER_DATA = ("ts_", "pyg_", "audio_", "embedding")

log = logging.getLogger(__name__)


class RowDetector(Protocol):
    """What scores rows (P, D): a detector of PyOD's, or one of ours."""

    def fit(self, X: Rows) -> Any:
        """Learn from healthy rows."""

    def decision_function(self, X: Rows) -> NDArray[np.floating]:
        """Return a score a row, higher is less usual."""


def make_detector(name: str, seed: int, options: Mapping[str, Any]) -> RowDetector:
    """Build one of PyOD's detectors by its module's name, such as "lof", "iforest" or "hbos".

    Raises UsageError naming the nearest detector, the parameter it does not take, lacks or refuses, or why a
    detector cannot be used here; DependencyError if PyOD itself lacks a package for it.
    """
    reason = NO_ROWS if name.startswith(OTHER_DATA) else REFUSED.get(name)
    if reason:
        raise UsageError(f"PyOD's {name} {reason}. {INSTEAD}")
    kind = _detector_class(name)
    known = signature(kind).parameters
    wrong = sorted(set(options) - set(known))
    if wrong:
        raise UsageError(f"PyOD's {name} has no parameter {wrong[0]!r}. Known: {', '.join(known)}.")
    given = {**options, **({"random_state": seed} if "random_state" in known else {})}
    lacking = [key for key, one in known.items() if _is_required(one) and key not in given]
    if lacking:
        raise UsageError(f"PyOD's {name} needs its parameter {lacking[0]!r}. Give it in options. {INSTEAD}")
    try:
        return kind(**given)
    except FOREIGN_ERRORS as error:
        raise UsageError(f"PyOD's {name} refuses its parameters {dict(options)}: {error}.") from error


def fit_detector(name: str, detector: RowDetector, healthy: Rows) -> float:
    """Fit on standardised healthy rows (P, D) and try what a score has to keep.

    Returns by how much scores rise over a distance of 1 sd far from the healthy rows.

    Raises InputError if the rows cannot be fitted, UsageError if a row alone gets another score than among
    others, or rows far from all healthy ones none above theirs.
    """
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            detector.fit(healthy.copy())
        reason, slope = _tried(detector, healthy)
    except FOREIGN_ERRORS as error:
        raise InputError(
            f"PyOD's {name} cannot be fitted on {len(healthy)} healthy rows of {healthy.shape[1]} features "
            f"and judge single ones: {error}. Give more scans, or a model with fewer latents."
        ) from error
    if reason:
        raise UsageError(f"PyOD's {name} {reason} (tried on these healthy rows). {INSTEAD}")
    if any("full rank" in str(one.message) for one in told):
        log.warning(
            "%s: half of the healthy rows lie in a plane, for example in flat areas, and the distance from "
            "it is all that its score tells. Take knn or lof.",
            name,
        )
    return slope


def _tried(detector: RowDetector, healthy: Rows) -> tuple[str | None, float]:
    """Score healthy rows, rows far from all of them and further ones in the same directions."""
    if len(healthy) < FEWEST_ROWS:
        return None, 1.0
    chosen = np.unique(np.linspace(0, len(healthy) - 1, N_NEAR).astype(int))
    directions = np.random.default_rng(0).normal(size=(N_FAR, healthy.shape[1]))
    reach = float(np.linalg.norm(healthy, axis=1).max())
    far = FAR * reach * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    rows = np.concatenate([healthy[chosen], far, far * FURTHER / FAR])
    together = np.asarray(detector.decision_function(rows.copy()), dtype=np.float64)
    single = (0, len(chosen) // 2, len(chosen) - 1, len(rows) - 2 * N_FAR, len(rows) - 1)
    alone = np.array([detector.decision_function(rows[n : n + 1].copy())[0] for n in single])
    if not (np.isfinite(together).all() and np.isfinite(alone).all()):
        return "gives no finite number for some rows", 0.0
    spread = np.ptp(together)
    if np.abs(alone - together[list(single)]).max() > SAME * spread:
        return NOT_ITS_OWN, 0.0
    at_near, at_far, at_further = np.split(together, [len(chosen), len(chosen) + N_FAR])
    usual = float(np.median(at_near))
    is_above = at_far.min() > usual and at_far.min() >= np.quantile(at_near, MOST)
    is_kept = (at_further >= at_far - NO_LOWER * spread).all()
    slope = (float(np.median(at_far)) - usual) / (FAR * reach)
    return (None if is_above and is_kept else NOT_FAR), slope


def _is_required(parameter: Parameter) -> bool:
    return parameter.default is Parameter.empty and parameter.kind is Parameter.POSITIONAL_OR_KEYWORD


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
    found = [
        kind
        for key, kind in vars(module).items()
        if key.lower().replace("_", "") == wanted and isinstance(kind, type)
    ]
    if not found:
        raise UsageError(f"PyOD's module {name!r} holds no detector of that name.")
    return found[0]
