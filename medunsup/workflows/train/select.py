"""Which scans a model learns from: those of healthy people, by their split; and who was left out, and why."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.dataset.sources import Case, Source, SplitName, open_source, refuse_unfetched
from medunsup.cohort.dataset.splits import one_a_subject, only_healthy, split
from medunsup.cohort.training.select import LABEL_MAP, left_out_words, without_label_maps
from medunsup.core.errors import InputError
from medunsup.core.hints import option
from medunsup.core.progress import Told
from medunsup.workflows.train.fit import has_epochs
from medunsup.workflows.train.settings import TrainSettings

REPEAT = "further scan of a calibration subject"
GIVEN = "as given, for the source does not say who is healthy"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """Healthy scans by their split; `healthy_by` counts what calls them healthy, `left_out` the others."""

    splits: dict[SplitName, list[Case]]
    healthy_by: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    n_patients: int = 0

    @property
    def cases(self) -> list[Case]:
        """All that are learned from, split by split."""
        return [case for cases in self.splits.values() for case in cases]


def find_healthy(
    data: Path,
    settings: TrainSettings,
    *,
    mask: str | None = None,
    healthy: HealthyWords | None = None,
    told: Told | None = None,
) -> Found:
    """List the healthy scans of a source by their split; calibration takes one of each subject.

    Images that no table names are read, to leave out label maps; `told` hears how far that is. Nobody whom
    the source does not call healthy is taken, unless it has no say on anybody.

    Raises UsageError or InputError for a source that cannot be understood, or with too few healthy subjects.
    """
    named = None if settings.contrast == "auto" else settings.contrast
    source = open_source(data, contrast=named, mask=mask, healthy=healthy)
    people, others = only_healthy(source.cases)
    refuse_unfetched(people)
    left_out = source.left_out + Counter(case.evidence for case in others)
    scans = people if source.kind == "table" else without_label_maps(people, told or (lambda stage: None))
    left_out[LABEL_MAP] = len(people) - len(scans)
    if not scans:
        why = "nobody in it is known to be healthy" if others else "holds no scan"
        raise InputError(f"{data}: {why}. {left_out_words(left_out)}{_way_out(others)}")
    splits = split(
        scans,
        validation=settings.validation,
        calibration=settings.calibration,
        seed=settings.seed,
        stops_early=has_epochs(settings),
        left_out=left_out_words(left_out),
    )
    left_out[REPEAT] = len(splits["calibration"])
    splits["calibration"] = one_a_subject(splits["calibration"])
    left_out[REPEAT] -= len(splits["calibration"])
    healthy_by = Counter(case.evidence if case.state == "healthy" else GIVEN for case in scans)
    _tell(data, source, healthy_by)
    return Found(splits, healthy_by, +left_out, sum(case.state == "patient" for case in others))


def healthy_words(healthy_by: Mapping[str, int]) -> str:
    """Say what calls the scans healthy: "Taken as healthy: group control (15)."."""
    counts = ", ".join(f"{evidence} ({n})" for evidence, n in sorted(healthy_by.items()))
    return f"Taken as healthy: {counts}." if counts else ""


def _way_out(others: Sequence[Case]) -> str:
    """Say how to name the words that mean healthy, with the column they stand in."""
    columns = (case.evidence.removesuffix(case.group).strip() for case in others if case.state == "patient")
    column = next(columns, "")
    return f" Say which words mean healthy: {option('healthy', f'{column}=WORD,WORD')}." if column else ""


def _tell(data: Path, source: Source, healthy_by: Mapping[str, int]) -> None:
    """Say once that nobody's state is known of a data set: it may hold patients as well."""
    if source.kind == "data set" and GIVEN in healthy_by:
        log.warning(
            "%s: nothing in it tells patients from healthy people: all are taken as healthy, as they "
            "were given.",
            data,
        )
