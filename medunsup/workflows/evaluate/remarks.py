"""What is remarked on a case, in sentences."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import Prepared
from medunsup.core.geometry import Grid
from medunsup.metrics.case_figures import LEAST_OUTSIDE
from medunsup.workflows.detect.known_subject import known_subject
from medunsup.workflows.evaluate.native_scan import NativeScan
from medunsup.workflows.train.model_folder import ModelFolder

if TYPE_CHECKING:
    from medunsup.anomaly.result import Flag


def remarks(
    case: Case,
    model: ModelFolder,
    prepared: Prepared,
    flags: "Iterable[Flag]",
    native: NativeScan,
    grid: Grid,
) -> tuple[str, ...]:
    """Gather what preparation and OOD checks remarked, and what flatters or hampers the model.

    `grid` is the scan's own.
    """
    told = (*prepared.warnings, *(flag.sentence for flag in flags))
    return tuple(dict.fromkeys([*told, *_subject(case, model, grid), *_lesions(case, native)]))


def _subject(case: Case, model: ModelFolder, grid: Grid) -> Iterator[str]:
    known = known_subject(model, case.scan, case.subject, grid)
    if known.subject and not known.is_elsewhere:
        yield (
            f"The model has seen a subject of this name ({known.split}): if it is the same, this flatters."
        )


def _lesions(case: Case, native: NativeScan) -> Iterator[str]:
    share = native.lesions_outside_brain
    if share >= LEAST_OUTSIDE:
        yield (
            f"{share:.0%} of the lesions lie outside the brain mask and count as missed. "
            "Look at the mask; give one that holds them in the table's column mask."
        )
    if not native.has_lesions and case.lesions is not None:
        yield "The lesion mask is empty."
