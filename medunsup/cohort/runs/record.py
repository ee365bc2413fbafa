"""What a run is at, kept beside its results while something is left to do: `medunsup status` reads it.

A run writes its plan whole and by one rename, and then a line for each scan that is begun or ended; so what
there is can be read at any time, also after the run was killed. A run that ends with a result of every scan
leaves nothing. The files are hidden, and the only ones that name folders of this machine.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self, TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from medunsup.cohort.batch import Outcome
from medunsup.cohort.executors.run_folder import NAME, run_folder
from medunsup.core.invocation import command_words
from medunsup.io.bids.names import LOCK
from medunsup.io.files.atomic import write_text
from medunsup.io.files.lock import this_process
from medunsup.io.files.transaction import remove_empty

PLAN, EVENTS = ".json", ".log"
VERSION = 1

Event = Literal["begun", "done", "error", "not run"]


class PlannedFile(BaseModel):
    """One scan: its path, and the file below the root that is there once its result is whole.

    `result` names the result where the file's name changes with what the scan holds.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    scan: str
    record: str
    result: str = ""


class Process(BaseModel):
    """By what a process can be known again, as `io.files.lock.this_process` says it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    pid: int
    start: float | None


class RunPlan(BaseModel):
    """What one run set out to do, and which process did; `command` is None for a call from Python."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int
    executor: str
    force: bool
    command: tuple[str, ...] | None
    folder: str
    process: Process
    scans: tuple[PlannedFile, ...]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a plan; None if it is not there, or of another version."""
        try:
            plan = cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, ValueError):
            return None
        return plan if plan.version == VERSION else None


class RunRecord:
    """Writes what becomes of the scans of one run whose results go below one root."""

    def __init__(self, root: Path, files: Sequence[PlannedFile], *, executor: str, force: bool) -> None:
        self.home = run_folder(root)
        self.left, self.open = {file.scan for file in files}, {file.scan for file in files}
        self.begun_scans: set[str] = set()
        self.path = self.home / f"{time.time_ns():020d}{PLAN}"
        plan = RunPlan(
            version=VERSION,
            executor=executor,
            force=force,
            command=None if (words := command_words()) is None else tuple(words),
            folder=os.getcwd(),  # noqa: PTH109 - as text
            process=Process(**this_process()),
            scans=tuple(files),
        )
        write_text(self.path, plan.model_dump_json())
        self.log: TextIO = self.path.with_suffix(EVENTS).open("w", encoding="utf-8")
        _clear_covered(root, plan, self.path)

    def begun(self, scan: Path) -> None:
        """Note that a scan is at work."""
        if str(scan) not in self.begun_scans:
            self.begun_scans.add(str(scan))
            self._write("begun", scan)

    def ended(self, outcome: Outcome) -> None:
        """Note what became of a scan."""
        event: Event = "done" if outcome.status == "skipped" else outcome.status
        self._write(event, outcome.scan, outcome.error or "")
        self.open.discard(str(outcome.scan))
        if event == "done":
            self.left.discard(str(outcome.scan))

    def close(self) -> None:
        """End the record; nothing is left if every scan has its result, or all failed in an empty folder."""
        with suppress(OSError):
            self.log.close()
            others = (path for path in self.home.parent.iterdir() if path.name not in (NAME, f".{LOCK}"))
            if not self.left or (not self.open and not any(others)):
                remove(self.path)

    def _write(self, event: Event, scan: Path, why: str = "") -> None:
        with suppress(OSError):  # a full disk: the results say so
            self.log.write(json.dumps({"scan": str(scan), "event": event, "why": why}) + "\n")
            self.log.flush()


def plans(root: Path) -> list[tuple[Path, RunPlan]]:
    """Read the plans of runs that left something to do, or are at work, the earliest first."""
    home = run_folder(root)
    found = [(path, RunPlan.read(path)) for path in sorted(home.glob(f"[0-9]*{PLAN}"))]
    return [(path, plan) for path, plan in found if plan is not None]


def events(path: Path) -> dict[str, tuple[Event, str]]:
    """Read the last event of each scan of a plan, and why; a line that was left half is passed over."""
    found: dict[str, tuple[Event, str]] = {}
    try:
        lines = path.with_suffix(EVENTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            item = json.loads(line)
            found[item["scan"]] = (item["event"], item["why"])
    return found


def is_whole(root: Path, file: PlannedFile, plan: RunPlan, path: Path) -> bool:
    """Whether a scan's result is there; where results were to be replaced, one since the run began."""
    try:
        made = (root / file.record).stat().st_mtime_ns
    except OSError:
        return False
    return not plan.force or made >= path.stat().st_mtime_ns


def remove(path: Path) -> None:
    """Remove a plan and its log, and their folder if nothing else is in it."""
    path.unlink(missing_ok=True)
    path.with_suffix(EVENTS).unlink(missing_ok=True)
    for folder in (*(path.parent / name for name in ("slurm", "dask")), path.parent):
        remove_empty([folder])


def _clear_covered(root: Path, plan: RunPlan, own: Path) -> None:
    """Remove earlier plans of which nothing is left to do that `plan` does not do."""
    covered = {file.result or file.record for file in plan.scans}
    for path, earlier in plans(root):
        left = (file for file in earlier.scans if (file.result or file.record) not in covered)
        if path != own and all(is_whole(root, file, earlier, path) for file in left):
            remove(path)
