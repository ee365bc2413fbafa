"""From the figures of each epoch to what goes wrong with pseudo-labels, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from medunsup.core.hints import both

SETTLED = 0.3  # share of the epochs after which a fault is one
FALL = 0.1


def name_failure(history: Sequence[Mapping[str, Any]], *, epochs: int) -> str:
    """Say what the figures of the epochs so far show to be wrong; nothing if all is well.

    Parameters
    ----------
    history : sequence of mapping
        Figures of each epoch, that before the first step first.
    epochs : int
        Epochs of the whole run.

    Returns
    -------
    str
        What is seen and what to do.
    """
    late = [row for row in history if row["epoch"] >= max(1, SETTLED * epochs)]
    if not late:
        return ""
    less = both("parameters", {"unlabelled_weight": 0.1})
    if all((row.get("coverage") or 0) == 0 for row in late):
        return (
            f"No pseudo-label is sure enough to be used since epoch {late[0]['epoch']}: this is supervised "
            f"learning. Believe less sure ones ({both('parameters', {'threshold': 0.8})}), or train longer."
        )
    if all((row.get("pseudo_commonest") or 0) == 1 for row in late):
        return (
            f"All pseudo-labels are of one class since epoch {late[0]['epoch']}. Label more items of others, "
            f"or let unlabelled items count less ({less})."
        )
    known = [row["pseudo_accuracy"] for row in late if row.get("pseudo_accuracy") is not None]
    if known and known[-1] < max(known) - FALL:
        return (
            f"Pseudo-labels get worse: {known[-1]:.0%} are right, {max(known):.0%} were. Let unlabelled "
            f"items count less ({less}), or take fewer steps."
        )
    return ""
