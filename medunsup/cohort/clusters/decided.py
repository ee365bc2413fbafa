"""What decided on the number of clusters: the two p-values of the rule, and how each came about."""

from dataclasses import dataclass

from medunsup.clustering.choosing.choose import ALPHA, KChoice


@dataclass(frozen=True)
class Condition:
    """One of the two that clusters must meet.

    Attributes
    ----------
    asked : str
        What is asked of the clusters, in words.
    k : int
        Number of clusters that it is asked of.
    p : float
        The p-value that decides; NaN where it cannot be told.
    how : str
        How it came about, in words.
    at_most : float
        The largest p that will do.
    """

    asked: str
    k: int
    p: float
    how: str
    at_most: float = ALPHA

    @property
    def is_met(self) -> bool:
        """Whether p is small enough."""
        return self.p <= self.at_most


def decided(choice: KChoice | None) -> tuple[Condition, ...]:
    """Return the conditions of the rule for the clusters that were looked at; none where nothing was asked.

    Clusters are found if both are met.
    """
    if choice is None or not choice.nulls:
        return ()
    k, gaussian = choice.compared, choice.nulls[0]
    valley = choice.valley_p[choice.ks.index(k)]
    told = valley == valley
    return (
        Condition(
            "a valley parts each two, in rows that were not fitted",
            k,
            valley,
            "dip test of the two that are least apart" if told else "rows are too few to tell",
        ),
        Condition(
            "more stable or tighter than clusters of one Gaussian",
            k,
            gaussian.p,
            f"twice the smaller of {gaussian.stability_p:.3f} for stability and {gaussian.tightness_p:.3f} "
            "for tightness, as either will do",
        ),
    )


def sentences(choice: KChoice | None) -> list[str]:
    """Say both conditions, each with the p that decides and where it comes from."""
    return [
        f"{'met' if one.is_met else 'not met'} at {one.k} clusters: {one.asked}; p = {_p(one.p)} "
        f"({one.how}), {one.at_most:g} or less is wanted"
        for one in decided(choice)
    ]


def _p(value: float) -> str:
    return f"{value:.3f}" if value == value else "n/a"
