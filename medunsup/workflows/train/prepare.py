"""From the scans of a training to what is learned from: prepared, alike, laid one behind the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.prepare_many import prepare_all, stack
from medunsup.core.pace import Pace
from medunsup.core.progress import Stage, Told
from medunsup.workflows.train.consistency import Common, check_alike
from medunsup.workflows.train.request import TrainRequest

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans


def prepare_alike(request: TrainRequest, cases: Sequence[Case], told: Told) -> Common:
    """Prepare all scans and return what they share. Raises InputError for one that cannot be used."""
    pace = Pace(len(cases))

    def tell(n: int, of: int) -> None:
        told(Stage(f"preparing scans, {n} of {of}", n / of, pace.done()))

    told(Stage("preparing scans"))
    traits = prepare_all(cases, request.settings, request.prepared, jobs=request.jobs, progress=tell)
    return check_alike(cases, traits)


def stack_splits(
    request: TrainRequest, splits: Mapping[SplitName, Sequence[Case]], folder: Path
) -> dict[SplitName, "Scans"]:
    """Lay the prepared scans of each split that has any one behind the other, in files of `folder`."""
    return {
        name: stack(cases, request.settings, request.prepared, folder, name)
        for name, cases in splits.items()
        if cases
    }
