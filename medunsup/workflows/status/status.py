"""How far the runs of a folder are: from their plans, their words, their jobs, and the results themselves."""

import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.executors.slurm import places, queue
from medunsup.cohort.runs import record
from medunsup.cohort.runs.record import Event, PlannedFile, RunPlan
from medunsup.cohort.sidecar import ResultSidecar, SidecarError
from medunsup.core.hints import option
from medunsup.core.paths import check_folder, user_path
from medunsup.io.files.lock import is_alive
from medunsup.io.files.walk import files_below

State = Literal["done", "running", "failed", "waiting"]
STATES: tuple[State, ...] = ("done", "running", "failed", "waiting")
INTERRUPTED = "its run was ended while it was at work"
PREPARED = "prepared"  # beside a table or a model: where scans are prepared for it
STOPPED = "not begun, since its run was ended"


@dataclass(frozen=True)
class ScanStatus:
    """How far one scan is.

    Attributes
    ----------
    scan : str
        The scan's path as it was given; for a result of a run that left nothing to do, its name.
    status : {'done', 'running', 'failed', 'waiting'}
        'running' as far as can be told from this computer.
    why : str
        Why it failed, or has to wait; empty otherwise.
    """

    scan: str
    status: State
    why: str = ""


@dataclass(frozen=True)
class FolderStatus:
    """How far the scans of a folder are, and how to go on.

    Attributes
    ----------
    folder : Path
        The folder.
    scans : tuple of ScanStatus
        Every scan that a run set out to do there or that has a result, by path.
    notes : tuple of str
        What is known of runs, such as jobs that are still in a queue.
    commands : tuple of str
        Commands that do what is left, exactly as a shell takes them; empty if nothing is left.

    Examples
    --------
    >>> import medunsup
    >>> medunsup.status(".").commands
    ()
    """

    folder: Path
    scans: tuple[ScanStatus, ...]
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Number of scans by status."""
        found = Counter(scan.status for scan in self.scans)
        return {state: found[state] for state in STATES}

    def as_json(self) -> dict[str, Any]:
        """Return plain values.

        Returns
        -------
        dict
            Folder, counts, scans, notes and commands.

        Examples
        --------
        >>> import medunsup
        >>> list(medunsup.status(".").as_json())
        ['folder', 'counts', 'scans', 'notes', 'commands']
        """
        return {
            "folder": str(self.folder),
            "counts": self.counts,
            "scans": [vars(scan) for scan in self.scans],
            "notes": list(self.notes),
            "commands": list(self.commands),
        }


def status(folder: str | Path) -> FolderStatus:
    """Tell which scans of a folder are done, running, failed and waiting, why, and how to go on.

    It reads what runs left, whatever they work on scans with; also what one that was killed left. So it does
    in a folder `prepared` below, where `embed`, `train` and `pretrain` keep what they made of scans.

    Parameters
    ----------
    folder : str or Path
        Folder that results go to.

    Returns
    -------
    FolderStatus
        The scans, each with its status and why, and the commands that go on.

    Raises
    ------
    MissingError
        If there is no such folder.

    Examples
    --------
    >>> import medunsup
    >>> done = medunsup.segment_many(["scan.nii.gz", "not_there.nii.gz"], "some", report=False)
    >>> medunsup.status("some").counts
    {'done': 1, 'running': 0, 'failed': 1, 'waiting': 0}
    """
    root = user_path(folder)
    check_folder(root)
    found = [_below(each) for each in (root, root / PREPARED) if each.is_dir()]
    known = {file: item for below in found for file, item in below.known.items()}
    others = [ScanStatus(name, "done") for path, name in _results(root) if root / path not in known]
    scans = sorted([scan for scan, _ in known.values()] + others, key=lambda scan: scan.scan)
    left = [plan for scan, plan in known.values() if scan.status in ("failed", "waiting")]
    notes = [note for below in found for note in below.notes]
    is_left_to_jobs = any(below.has_jobs for below in found) or any(s.status == "running" for s in scans)
    commands = dict.fromkeys(_command(plan) for plan in left)
    if is_left_to_jobs and commands:
        notes.append("Wait for what is running before the command is given again.")
    return FolderStatus(root, tuple(scans), tuple(dict.fromkeys(notes)), tuple(commands))


@dataclass(frozen=True)
class _Below:
    """What runs left in one folder: each scan by the file of its result, what is known of them."""

    known: dict[Path, tuple[ScanStatus, RunPlan]]
    notes: list[str]
    has_jobs: bool


def _below(root: Path) -> _Below:
    jobs = _Jobs.of(root)
    known: dict[Path, tuple[ScanStatus, RunPlan]] = {}
    notes = list(jobs.notes)
    for path, plan in record.plans(root):
        alive = is_alive(**plan.process.model_dump())
        for file, scan in _scans(root, path, plan, alive, jobs):
            known[root / file.record] = scan, plan
        notes += _notes(plan, alive)
    return _Below(known, notes, jobs.n_alive > 0)


def _scans(
    root: Path, path: Path, plan: RunPlan, alive: bool | None, jobs: "_Jobs"
) -> Iterator[tuple[PlannedFile, ScanStatus]]:
    told = record.events(path)
    for file in plan.scans:
        event, why = told.get(file.scan, (None, ""))
        is_done = event == "done" or record.is_whole(root, file, plan, path)
        is_in_job = places.one_line(file.scan) in jobs.at_work
        yield file, ScanStatus(file.scan, *_state(event, why, is_done, alive, is_in_job, jobs.n_alive > 0))


def _state(
    event: Event | None, why: str, is_done: bool, alive: bool | None, is_in_job: bool, has_jobs: bool
) -> tuple[State, str]:
    """Say how far a scan is; of a process on another computer the last word counts."""
    if is_done:
        return "done", ""
    if event == "error":
        return "failed", why
    if is_in_job or (event == "begun" and alive is not False and not has_jobs):
        return "running", ""
    if alive is not False or has_jobs:
        return "waiting", "" if event != "not run" else why
    return "waiting", INTERRUPTED if event == "begun" else why or STOPPED


@dataclass(frozen=True)
class _Jobs:
    """The jobs of Slurm that belong to a folder: the scans at work in them, how many are alive."""

    at_work: frozenset[str]
    n_alive: int
    notes: tuple[str, ...]

    @classmethod
    def of(cls, root: Path) -> "_Jobs":
        at_work: set[str] = set()
        notes, n_alive = [], 0
        for folder in places.left_folders(root):
            try:
                alive = Counter(job.state for job in queue.jobs_of(folder).values() if job.is_alive)
            except queue.NoAnswerError as error:
                notes.append(f"Slurm does not tell of its jobs ({error}).")
                at_work.update(places.at_work(folder))
                n_alive += 1
                continue
            if alive:
                n_alive += alive.total()
                at_work.update(places.at_work(folder))
                states = ", ".join(f"{n} {state}" for state, n in alive.items())
                notes.append(f"Slurm has jobs of it: {states} (squeue -n {queue.job_name(folder)}).")
        return cls(frozenset(at_work), n_alive, tuple(notes))


def _notes(plan: RunPlan, alive: bool | None) -> list[str]:
    host, pid = plan.process.host, plan.process.pid
    if alive:
        return [f"A run is at work ({plan.executor}, process {pid})."]
    if alive is None:
        return [f"A run was begun on {host}; whether it is alive can only be told there (process {pid})."]
    return []


def _command(plan: RunPlan) -> str:
    """Return the command that goes on, from wherever it is given."""
    if plan.command is None:
        return f"# the same call from Python, in {_joined([' '.join(plan.folder.split())])}"
    line = _joined(plan.command)
    return f"cd {_joined([plan.folder])} && {line}"


def _joined(words: Sequence[str]) -> str:
    """Quote words for the shell that people of this system type into."""
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline(words)
    return shlex.join(words)


def _results(root: Path) -> Iterator[tuple[str, str]]:
    """Find whole results of any verb: the file that says so, below the folder, and the scan's name."""
    for path in (path for path in files_below(root) if path.suffix == ".json"):
        try:
            sidecar = ResultSidecar.read(path)
        except SidecarError:
            continue
        if "sidecar_version" in sidecar.model_fields_set:
            place = path.parent.relative_to(root)
            yield path.relative_to(root).as_posix(), (place / sidecar.medunsup.scan).as_posix()


def remedy() -> str:
    """Say what a folder without results may mean."""
    return f"No run has left anything here. Give the folder that results go to ({option('out')})."
