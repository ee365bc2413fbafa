"""From the scans of a training to what is learned from: prepared, alike, laid one behind the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.prepare_many import Preparation, prepare_all, stack
from medunsup.cohort.training.consistency import Common, check_alike
from medunsup.core.pace import Pace
from medunsup.core.progress import Stage, Told

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans


def prepare_alike(
    cases: Sequence[Case], settings: Preparation, cache: Path, *, executor: Executor, told: Told
) -> Common:
    """Prepare all scans and return what they share. Raises InputError for one that cannot be used."""
    pace = Pace(len(cases))

    def tell(n: int, of: int) -> None:
        told(Stage(f"preparing scans, {n} of {of}", n / of, pace.done()))

    told(Stage("preparing scans"))
    return check_alike(cases, prepare_all(cases, settings, cache, executor=executor, progress=tell))


def stack_splits(
    splits: Mapping[SplitName, Sequence[Case]], settings: Preparation, cache: Path, folder: Path
) -> dict[SplitName, "Scans"]:
    """Lay the prepared scans of each split that has any one behind the other, in files of `folder`."""
    return {name: stack(cases, settings, cache, folder, name) for name, cases in splits.items() if cases}
