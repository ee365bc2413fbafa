"""What the rule for the number of clusters says of a number that was given."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from medunsup.clustering.choosing.choose import ALPHA, DRAWS, FEWEST, RULE, KChoice, checked, checked_subjects
from medunsup.clustering.choosing.fits import Make, Prepare, as_they_are
from medunsup.clustering.choosing.null import KINDS, compare
from medunsup.clustering.choosing.valleys import valley_p
from medunsup.clustering.subjects import count


def judge_k(
    make: Make,
    X: ArrayLike,
    k: int,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    prepare: Prepare = as_they_are,
    drawn_from: ArrayLike | None = None,
    groups: Sequence[Hashable] | None = None,
) -> KChoice:
    """Hold K clusters against rows without clusters, as `choose_k` does; its `k` is 1 if they fail.

    Raises ArrayError if rows, or subjects, are fewer than 16, or a feature is not finite.
    """
    rows = checked(X)
    subjects = checked_subjects(groups, len(rows))
    like = rows if drawn_from is None else np.asarray(drawn_from, np.float64)
    generator = np.random.default_rng(seed)
    can_tell = k > 1 and k * FEWEST <= count(subjects, len(rows))
    how: dict[str, Any] = {"seed": seed, "generator": generator, "prepare": prepare, "subjects": subjects}
    apart = valley_p(make, rows, k, **how) if can_tell else (1.0 if k == 1 else float("nan"))
    nulls = tuple(
        compare(kind, make, rows, k, draws=draws, like=like, **how) for kind in (KINDS if k > 1 else ())
    )
    is_more = bool(nulls) and nulls[0].p <= ALPHA
    found = k if apart <= ALPHA and is_more else 1
    return KChoice(
        k=found,
        verdict=_verdict(k, found, apart, nulls[0].p if nulls else 1.0, can_tell=can_tell),
        rule=f"given: {k}; held against the rule: {RULE}",
        ks=(k,),
        valley_p=(apart,),
        nulls=nulls,
        compared=k,
        curves=None,
        proposals={},
    )


def _verdict(k: int, found: int, apart: float, p: float, *, can_tell: bool) -> str:
    if k == 1:
        return "One cluster, as asked for: it holds all rows."
    if found == k:
        return (
            f"{k} clusters, as asked for: a valley parts each two in rows that were not fitted "
            f"(p = {apart:.3f}), and they are more stable or tighter than clusters of one Gaussian "
            f"(p = {p:.3f})."
        )
    if p > ALPHA:
        return (
            f"{k} clusters were made as asked for, but they are no more stable or tighter than clusters of "
            f"one Gaussian of the same covariance (p = {p:.3f}): rows show no clusters."
        )
    if not can_tell:
        return (
            f"{k} clusters were made as asked for. They are more stable or tighter than clusters of one "
            f"Gaussian (p = {p:.3f}), but rows, or subjects, are fewer than {FEWEST} a cluster: whether a "
            "valley parts them cannot be told."
        )
    return (
        f"{k} clusters were made as asked for. They are more stable or tighter than clusters of one Gaussian "
        f"(p = {p:.3f}), but no valley parts each two (p = {apart:.3f}): some may be parts of one cloud."
    )
