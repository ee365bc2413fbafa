"""From the figures of a run's epochs to a collapse by name, with the knob to turn."""

from collections.abc import Sequence
from dataclasses import dataclass

from medunsup.selfsupervised.collapse_rules import RULES, Case, Kind, Rule
from medunsup.selfsupervised.monitors import Monitors


@dataclass(frozen=True)
class Collapse:
    """A collapse that was noticed.

    Attributes
    ----------
    name : str
        Its name, one of those that `docs/collapse.md` lists.
    since : int
        The epoch from which on it is seen.
    sentence : str
        What is seen, since when, and what to do.

    Examples
    --------
    >>> from medunsup.selfsupervised.collapse import Collapse
    >>> Collapse("constant", 2, "Since epoch 2: embeddings are nearly alike. ...").since
    2
    """

    name: str
    since: int
    sentence: str


def name_collapse(
    history: Sequence[Monitors], kind: Kind, *, guessing: float | None = None
) -> Collapse | None:
    """Name the collapse that a run shows, if it shows one.

    Parameters
    ----------
    history : sequence of Monitors
        All epochs so far; that before the first step (epoch 0) is what later ones are compared with. With a
        long warm-up, only epochs after it.
    kind : {'contrastive', 'predictive', 'distillation', 'redundancy', 'reconstruction', 'classification'}
        Kind of the method: with negatives, without, with a teacher's prototypes, by decorrelation, by
        restoring what was hidden, by naming what was done.
    guessing : float, optional
        Loss of whoever guesses: ln(2N - 1) of SimCLR with batches of N, ln(Q + 1) of MoCo, ln K of DINO.

    Returns
    -------
    Collapse or None
        The first that fits, causes before effects; None for a healthy run.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised.collapse import name_collapse
    >>> from medunsup.selfsupervised.monitors import Monitors
    >>> rows = np.random.default_rng(0).normal(size=(64, 16))
    >>> alike = 1 + 1e-3 * rows
    >>> before = Monitors.of(0, None, rows, embeddings=(rows, rows))
    >>> after = Monitors.of(1, -1.0, alike, embeddings=(alike, alike))
    >>> print(name_collapse([before, after], "contrastive").sentence)
    Since epoch 1: the encoder's features are nearly alike (spread 0.001 of 1, rank 1.0). Lower the learning
    rate, and see that negatives are other subjects.
    >>> name_collapse([before, before], "contrastive")
    """
    for name, rule in RULES.items():
        since = _held_since(history, rule, kind, guessing)
        if since is not None:
            seen, knob = rule(Case(history, kind, guessing)) or ("", "")
            return Collapse(name, since, f"Since epoch {since}: {seen}. {knob[:1].upper()}{knob[1:]}.")
    return None


def _held_since(history: Sequence[Monitors], rule: Rule, kind: Kind, guessing: float | None) -> int | None:
    """Return the epoch from which on a rule held without a break until now."""
    since = None
    for n in range(len(history), 0, -1):
        if history[n - 1].epoch == 0 or rule(Case(history[:n], kind, guessing)) is None:
            break
        since = history[n - 1].epoch
    return since
