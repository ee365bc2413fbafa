"""All figures of one scan under several methods, as they are kept on disk between scans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from medunsup.metrics.froc import FrocCurve

NAN = float("nan")
LEAST_OUTSIDE = 0.01  # share of the lesions outside the brain mask that is told of
Figures = Mapping[str, float]


@dataclass(frozen=True)
class CaseFigures:
    """Figures of one case, under the model and each baseline.

    `figures` holds, by method, those of `detection.Detection`, for scans with lesions only. The model's alone
    are `at_threshold`, what its mask at the healthy threshold gives, `steps` in their order, and `p_value`.
    `facts` and `flags` are labels: what may confound, and the OOD checks that the scan fails. `EvaluatedCase`
    documents each field.
    """

    scan: str
    subject: str
    site: str
    is_ill: bool
    scan_scores: Figures
    figures: Mapping[str, Figures] = field(default_factory=dict)
    froc: Mapping[str, FrocCurve] = field(default_factory=dict)
    at_threshold: Figures = field(default_factory=dict)
    steps: Figures = field(default_factory=dict)
    p_value: float = NAN
    lesions_outside_brain: float = NAN
    facts: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @property
    def has_lesions(self) -> bool:
        """Whether there are true lesions to find."""
        return bool(self.figures)

    def figure(self, method: str, name: str) -> float:
        """One figure of a method; NaN if it has none."""
        return self.figures.get(method, {}).get(name, NAN)

    def as_record(self) -> dict[str, Any]:
        """Plain values; NaN may be among them."""
        froc = {
            name: {"thresholds": curve.thresholds, "sensitivity": curve.sensitivity}
            | {"false_positives": curve.false_positives, "n_lesions": curve.n_lesions}
            for name, curve in self.froc.items()
        }
        return {**vars(self), "froc": froc}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Take over what `as_record` gave, with null where NaN was. Raises KeyError or TypeError if cut."""
        froc = {
            name: FrocCurve(
                np.array(kept["thresholds"], np.float32),
                np.array(kept["sensitivity"], np.float64),
                np.array(kept["false_positives"], np.float64),
                kept["n_lesions"],
                1,
            )
            for name, kept in record["froc"].items()
        }
        figures = {name: _numbers(kept) for name, kept in record["figures"].items()}
        numbers = {key: _numbers(record[key]) for key in ("scan_scores", "at_threshold", "steps")}
        single = {key: _number(record[key]) for key in ("p_value", "lesions_outside_brain")}
        own = {"froc": froc, "figures": figures, **single, **numbers}
        return cls(**{**record, **own, "flags": tuple(record["flags"])})


def _numbers(kept: Mapping[str, float | None]) -> dict[str, float]:
    return {name: _number(value) for name, value in kept.items()}


def _number(value: float | None) -> float:
    return NAN if value is None else value
