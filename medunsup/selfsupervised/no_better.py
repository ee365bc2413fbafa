"""A pretext task that is solved no better than without learning, in words."""

from collections.abc import Mapping
from math import ceil
from typing import Any

LEAST_EPOCHS = 5
KNOBS = "Train for more epochs, or raise the learning rate"


def no_better(row: Mapping[str, Any], loss: str, baselines: Mapping[str, str], config: Any) -> str:
    """Say that a loss is not below what needs no learning; nothing early in a run or where it is.

    `row` holds an epoch's figures, `loss` among them and each of `baselines`, which gives their words. Runs
    are judged from their fifth epoch after the warm-up on.
    """
    if row["epoch"] < LEAST_EPOCHS + ceil(config.warmup * config.epochs):
        return ""
    reached = {name: row[name] for name in baselines if row.get(name) is not None}
    if row.get(loss) is None or not reached:
        return ""
    best = min(reached, key=lambda name: reached[name])
    if row[loss] < reached[best]:
        return ""
    return (
        f"After epoch {row['epoch']} the loss ({row[loss]:.4g}) is no lower than that of {baselines[best]} "
        f"({reached[best]:.4g}). {KNOBS}."
    )
