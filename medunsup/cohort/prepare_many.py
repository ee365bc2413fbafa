"""Prepare many scans, here or elsewhere, and lay them one behind the other on disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.prepare import Prepared, key, prepare
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.runs.cached import work_into_cache
from medunsup.cohort.settings import ReadSettings
from medunsup.core.errors import InputError, OutputError
from medunsup.io.files.memmap import stacked

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

SHOWN = 5


class Preparation(Protocol):
    """How scans are read, and the grid they come onto: what the settings of a model say of that."""

    @property
    def reading(self) -> ReadSettings:
        """How scans are read."""

    @property
    def spacing_mm(self) -> float:
        """Voxel spacing of the grid."""


@dataclass(frozen=True)
class Task:
    """One scan to prepare; the result goes into the cache."""

    request: ScanRequest
    spacing_mm: float
    cache: Path

    @property
    def place(self) -> Path:
        """Where the prepared scan is kept. Raises InputError if the scan cannot be read."""
        return self.cache / f"{key(self.request, self.spacing_mm)}.npz"


@dataclass(frozen=True)
class Traits:
    """What tells whether scans belong together; `coarsest_mm` is the largest side of a voxel as it came."""

    contrast: str
    coarsest_mm: float
    content: str


@dataclass(frozen=True)
class Tried(Outcome):
    """What became of a task: the traits of its scan, or why it cannot be used."""

    traits: Traits | None = None


def request_of(case: Case, settings: Preparation) -> ScanRequest:
    """Ask for a scan to be read as the model's settings say."""
    return ScanRequest(case.scan, settings.reading, case.mask)


def prepare_all(
    cases: Sequence[Case],
    settings: Preparation,
    cache: Path,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Traits]:
    """Bring all scans into the cache and return their traits; `progress` hears how many are done, of all.

    Raises InputError naming the scans that cannot be used, once all were tried; OutputError at once if the
    cache cannot be written.
    """
    tasks = [Task(request_of(case, settings), settings.spacing_mm, cache) for case in cases]
    made: dict[Path, Traits] = {}
    failed: dict[Path, str] = {}
    for tried in work_into_cache(tasks, do_task, Tried, cache, executor or Processes()):
        if tried.is_fatal:
            raise OutputError(str(tried.error))
        if tried.traits is None:
            failed[tried.scan] = str(tried.error)
        else:
            made[tried.scan] = tried.traits
        if progress is not None:
            progress(len(made) + len(failed), len(tasks))
    if failed:
        in_order = [failed[case.scan] for case in cases if case.scan in failed]
        more = f"; and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
        raise InputError(
            f"{len(failed)} of {len(tasks)} scans cannot be used: {'; '.join(in_order[:SHOWN])}{more}"
        )
    return [made[case.scan] for case in cases]


def do_task(task: Task, say: Callable[[str], None]) -> Tried:
    """Prepare one scan; its error comes back as an outcome."""
    return attempt(task.request.path, Tried, lambda: _done(task, say))


def _done(task: Task, say: Callable[[str], None]) -> Tried:
    found = prepare(task.request, task.spacing_mm, cache=task.cache, say=say)
    traits = Traits(found.contrast, max(found.spacing_mm), found.content)
    return Tried(task.request.path, "done", traits=traits)


def prepared(case: Case, settings: Preparation, cache: Path) -> Prepared:
    """Read one scan from the cache, or prepare it."""
    return prepare(request_of(case, settings), settings.spacing_mm, cache=cache)


def stack(cases: Sequence[Case], settings: Preparation, cache: Path, folder: Path, name: str) -> "Scans":
    """Lay prepared scans one behind the other in files of `folder`, each read once, and map them into memory.

    Raises OutputError on a full disk.
    """
    from medunsup.training.scan_stack import Scans

    each = (prepared(case, settings, cache) for case in cases)
    first = next(each)
    files = {"values": folder / f"{name}.npy", "masks": folder / f"{name}_masks.npy"}
    n = len(cases)
    with (
        stacked(files["values"], (n, *first.values.shape), np.float32) as add_values,
        stacked(files["masks"], (n, *first.mask.shape), np.bool_) as add_mask,
    ):
        for one in chain([first], each):
            add_values(one.values)
            add_mask(one.mask)
    mapped = {key: np.load(file, mmap_mode="r") for key, file in files.items()}
    names, subjects = zip(*((case.scan.name, case.subject) for case in cases), strict=True)
    return Scans(mapped["values"], mapped["masks"], names, subjects)
