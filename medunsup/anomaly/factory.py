"""From names and plain values to a model and a score that fit together."""

from collections.abc import Mapping
from typing import Any

from medunsup.anomaly.base import AnomalyModel, Score, offers
from medunsup.core.errors import UsageError
from medunsup.core.registry import method, methods


def build_model(name: str, values: Mapping[str, Any] | None = None) -> AnomalyModel:
    """Make an unfitted model. Raises UsageError for an unknown name or parameter."""
    kind: type[AnomalyModel] = method("anomaly", name)
    return kind(kind.Config.parse(dict(values or {}), f"model {name}"))


def build_score(name: str, values: Mapping[str, Any] | None = None, *, model: object = None) -> Score:
    """Make an unfitted score for a model, or for none if it needs none.

    Raises UsageError for an unknown name or parameter, and if the model does not offer what the score needs,
    naming the scores it can have.
    """
    kind: type[Score] = method("score", name)
    score = kind(kind.Config.parse(dict(values or {}), f"score {name}"))
    missing = sorted(set(score.needs) - offers(model))
    if missing:
        owner = getattr(model, "method_name", "No model")
        raise UsageError(
            f"{owner} does not offer {missing[0]!r}, which the score {name} needs. "
            f"Scores that work: {', '.join(scores_for(model))}."
        )
    return score


def scores_for(model: object) -> list[str]:
    """Name the scores for which a model offers what they need."""
    names = [card.name for card in methods("score")]
    return [name for name in names if set(method("score", name)().needs) <= offers(model)]
