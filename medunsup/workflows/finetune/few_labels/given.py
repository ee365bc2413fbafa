"""Which labels a draw gives: those hidden are -1, and some of the labelled subjects are kept to choose by."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.workflows.finetune.shares import Places, Share

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

SHARE_TO_CHOOSE_BY = 0.2
CHOOSING = 3  # begins the seed of the validation split


class Parts(NamedTuple):
    """Scans to learn from, labelled or not, and labelled ones of other subjects to choose by, if any."""

    learned: "Scans"
    validation: "Scans | None"


def hide(scans: "Scans", places: Places) -> "Scans":
    """Return all scans, with the labels of `places` alone; a class channel, if the last one is, is -1 too."""
    assert scans.labels is not None  # -1 where there is none
    labels = np.full(len(scans), -1, np.int64)
    labels[places] = scans.labels[places]
    return replace(scans, labels=labels)


def hide_voxels(scans: "Scans", places: Places) -> "Scans":
    """Do the same for scans whose classes are their last channel; what is written stays in memory."""
    found = hide(scans, places)
    file = getattr(scans.values, "filename", None)
    values = np.array(scans.values) if file is None else np.load(file, mmap_mode="c")
    assert found.labels is not None
    for place in np.flatnonzero(found.labels < 0):
        values[place, -1] = -1
    return replace(found, values=values)


def split_to_choose(scans: "Scans", seed: int) -> Parts:
    """Keep about a fifth of the labelled subjects of each class to choose by, and all their scans.

    Of a class with one labelled subject none can be kept: then no class has any, and nothing is chosen.
    """
    assert scans.labels is not None
    names = np.array(list(scans.subjects) or list(scans.names))
    class_of = {who: int(label) for who, label in zip(names, scans.labels, strict=True) if label >= 0}
    rng, chosen = np.random.default_rng([seed, CHOOSING]), list[str]()
    for one in sorted(set(class_of.values())):
        people = sorted(who for who, label in class_of.items() if label == one)
        if len(people) < 2:
            return Parts(scans, None)
        n = max(1, round(SHARE_TO_CHOOSE_BY * len(people)))
        chosen += [people[place] for place in rng.permutation(len(people))[:n]]
    is_chosen = np.isin(names, chosen)
    validation = np.flatnonzero(is_chosen & (scans.labels >= 0)).tolist()
    return Parts(scans.take(np.flatnonzero(~is_chosen).tolist()), scans.take(validation))


def with_unlabelled(shares: list[Share], scans: "Scans") -> list[Share]:
    """Return the shares that leave something unlabelled. Raises UsageError if none does."""
    left = [one for one in shares if len(one.draws[0]) < len(scans)]
    if not left:
        raise UsageError(
            f"All {len(scans)} training scans or images are labelled, nothing is left to learn from without "
            f"labels. Give fewer ({option('labelled', 20)}, {option('fractions', 0.1)}), more scans or "
            f"images ({option('unlabelled')}), or leave {option('few_labels')} out."
        )
    return left
