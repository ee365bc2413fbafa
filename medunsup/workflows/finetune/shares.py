"""How many labels are given: shares of the training subjects, drawn several times, each trained alike."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.labelled.splits import draw_labels
from medunsup.cohort.training.folder import CHECKPOINT
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Stage, Told
from medunsup.io.files.atomic import write_json
from medunsup.workflows.finetune.learn import learn
from medunsup.workflows.finetune.settings import FinetuneSettings

if TYPE_CHECKING:
    from medunsup.supervised.arms import Task
    from medunsup.training.scan_stack import Scans

DRAWS = "draws"

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Share:
    """A share of the training subjects, and which scans each draw gives the labels of.

    `share` is that of `n_subjects`: whole subjects, at least one of each class, may be more than asked for.
    """

    share: float
    n_subjects: int
    draws: tuple[Places, ...]


def shares_of(settings: FinetuneSettings, scans: "Scans") -> list[Share]:
    """Draw whose labels are given, from the largest share to the smallest; equal numbers of subjects are one.

    Each draw takes at least one subject of each class, and none that is not labelled. Raises UsageError for
    more subjects than there are, InputError if no scan is labelled.
    """
    classes = np.zeros(len(scans), np.intp) if scans.labels is None else scans.labels
    known = np.flatnonzero(classes >= 0)
    if not len(known):
        raise InputError("No training scan or image is labelled. Label some, of each class at least one.")
    names = list(scans.subjects) or list(scans.names)
    subjects, classes = [names[place] for place in known], classes[known]
    n_all = len(set(subjects))
    if settings.labelled and settings.labelled[-1] > n_all:
        raise UsageError(
            f"{option('labelled', settings.labelled[-1])}: there are {n_all} training subjects. Give at most "
            "as many."
        )
    found: dict[int, Share] = {}
    for share in sorted({*settings.fractions, *(n / n_all for n in settings.labelled)}, reverse=True):
        draws = [
            draw_labels(
                subjects, classes, share, np.random.default_rng([settings.seed, _millionths(share), n])
            )
            for n in range(settings.draws if share < 1 else 1)
        ]
        n_subjects = len({subjects[place] for place in draws[0]})
        is_all = n_subjects == n_all
        kept = tuple(known[draw] for draw in (draws[:1] if is_all else draws))
        found.setdefault(n_subjects, Share(n_subjects / n_all, n_subjects, kept))
    return list(found.values())


def each_draw(
    made: "Task",
    scans: "Scans",
    shares: Sequence[Share],
    test: Callable[..., Any],
    folder: Path,
    *,
    resume: bool,
    told: Told,
    take: "Callable[[Scans, Places], Scans] | None" = None,
) -> tuple["Task", list[tuple[Share, list[Any]]]]:
    """Train on each draw and test it; returns the networks of the first, and what all draws came to.

    The first draw's checkpoints lie in `folder` itself, those of the others below it; of what is finished
    only the figures are kept there, so that a run goes on where it ended. `take` gives what is learned from
    of a draw; without it the scans that were drawn.
    """
    take = take or some_of
    todo = [(share, number) for share in shares for number in range(len(share.draws))]
    found: list[list[Any]] = [[] for _ in shares]
    hear = told if len(todo) == 1 else _of_draw(told, shares[0], 0, 0.0, 1 / len(todo))
    kept = learn(made, take(scans, shares[0].draws[0]), folder, resume=resume, told=hear)
    found[0].append(test(kept, hear, kept=True))
    for done, (share, number) in enumerate(todo[1:], start=1):
        place = folder / DRAWS / f"{share.n_subjects}-{number}"
        result = place.with_suffix(".json")
        if not (resume and result.exists()):
            hear = _of_draw(told, share, number, done / len(todo), 1 / len(todo))
            some = take(scans, share.draws[number])
            own = made.with_seed(made.config.seed + number)
            own = learn(own, some, place, resume=resume and (place / CHECKPOINT).exists(), told=hear)
            place.parent.mkdir(parents=True, exist_ok=True)
            write_json(result, test(own, hear, kept=False))
            shutil.rmtree(place, ignore_errors=True)
        found[shares.index(share)].append(json.loads(result.read_text(encoding="utf-8")))
    return kept, list(zip(shares, found, strict=True))


def forget_draws(folder: Path) -> None:
    """Clear what only an unfinished run needs."""
    shutil.rmtree(folder / DRAWS, ignore_errors=True)


def _of_draw(told: Told, share: Share, number: int, begun: float, part: float) -> Told:
    """Tell of a draw as a part of the run."""

    def tell(stage: Stage) -> None:
        whose = f"{share.n_subjects} labelled, draw {number + 1} of {len(share.draws)}"
        told(Stage(f"{whose}: {stage.what}", begun + part * stage.share, None, stage.detail))

    return tell


def some_of(scans: "Scans", places: Places) -> "Scans":
    """Take the scans of a draw."""
    return scans if len(places) == len(scans) else scans.take(places.tolist())


def _millionths(share: float) -> int:
    return round(share * 10**6)
