"""Work through items as an array of jobs, and wait for what they leave in their folder."""

import logging
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from shutil import which
from typing import Any

from medunsup.cohort.executors.base import Lost, Told, Work
from medunsup.cohort.executors.kept import keep, read_kept
from medunsup.cohort.executors.slurm import places, queue
from medunsup.cohort.executors.slurm.ending import not_begun, why_ended
from medunsup.cohort.executors.slurm.script import array_script, parts
from medunsup.cohort.executors.slurm.settings import SlurmSettings
from medunsup.core.errors import DependencyError, MedunsupError, OutputError, UsageError
from medunsup.core.hints import option, worded_as_here
from medunsup.core.notice import tell
from medunsup.io.files.atomic import write_text

CANCEL_S = 5.0  # for jobs that were cancelled to end

log = logging.getLogger(__name__)


class Slurm:
    """Each item is a job of one array; this process waits for their results in a folder that all see.

    `look_s` is how often it looks for files, `ask_s` how often it asks Slurm, `patience_s` how long it waits
    for Slurm's answer, and `grace_s` how long for a file of a job that has ended, since a network's file
    system may show it late.
    """

    name = "slurm"

    def __init__(
        self,
        settings: SlurmSettings | None = None,
        *,
        look_s: float = 1.0,
        ask_s: float = 15.0,
        patience_s: float = 900.0,
        grace_s: float = 10.0,
    ) -> None:
        self.settings = settings or SlurmSettings()
        self.look_s, self.ask_s = look_s, ask_s
        self.patience_s, self.grace_s = patience_s, grace_s

    def prepare(self, roots: Sequence[Path]) -> None:
        """See that jobs can be submitted. Raises DependencyError without sbatch."""
        if which("sbatch") is None:
            raise DependencyError(queue.no_sbatch())

    def run(self, work: Work, told: Told) -> Generator[tuple[int, Any]]:
        """Submit the items and yield (index, result) as their files come; closing ends the jobs."""
        if not work.items:
            return
        if work.folder is None:
            raise UsageError(
                f"Jobs of a cluster need one folder that all of them see: say where with {option('out')}."
            )
        folder = places.new_folder(work.folder.absolute())
        shares = parts(len(work.items))
        watch = _Watch(self, folder, shares, told)
        try:
            self._lay_ready(folder, work, shares)
            number = _submitted(folder)
            many = f"{len(shares)} job{'s' if len(shares) != 1 else ''}"
            tell(log, "Slurm took %s as array %s.", many, number)
            yield from watch.results()
        finally:
            if watch.open:
                queue.cancel(folder)
            if not watch.has_given_up and _are_gone(folder, CANCEL_S):
                shutil.rmtree(folder, ignore_errors=True)  # else the next run waits for them and clears it

    def script(self, folder: Path, n_items: int) -> str:
        """Return the script that would be submitted for so many items with results in `folder`."""
        return array_script(places.new_folder(folder.absolute()), n_items, self.settings)

    def _lay_ready(self, folder: Path, work: Work, shares: Sequence[range]) -> None:
        keep(folder / places.TASK, worded_as_here(work.task))
        for number, share in enumerate(shares):
            items = [(index, work.labels[index], work.items[index]) for index in share]
            keep(folder / f"{number}{places.ITEMS}", items)
        write_text(folder / places.SCRIPT, array_script(folder, len(work.items), self.settings))


class _Watch:
    """Waits for the jobs of one folder: looks at their files often, and asks Slurm now and then."""

    def __init__(self, how: Slurm, folder: Path, shares: Sequence[range], told: Told) -> None:
        self.how, self.folder, self.told = how, folder, told
        self.open = {index: number for number, share in enumerate(shares) for index in share}
        self.heard: dict[int, int] = {}  # bytes of what each item said
        self.jobs: dict[int, queue.Job] | None = None
        self.asked = self.answered = time.monotonic()
        self.no_answer, self.has_given_up = "", False

    def results(self) -> Iterator[tuple[int, Any]]:
        """Yield each item's result, or `Lost`, until none is open."""
        while self.open:
            yield from self._found()
            if not self.open:
                return
            self._ask()
            if time.monotonic() - self.answered > self.how.patience_s:
                yield from self._given_up()
                return
            for number in self._ended():
                yield from self._of_ended(number)
            time.sleep(self.how.look_s)

    def _found(self) -> Iterator[tuple[int, Any]]:
        for index, path in places.numbered(self.folder, places.SAID).items():
            if index in self.open:
                self._listen(index, path)
        for index, path in sorted(places.numbered(self.folder, places.RESULT).items()):
            if index in self.open:
                del self.open[index]
                yield index, read_kept(path)

    def _listen(self, index: int, path: Path) -> None:
        heard = self.heard.get(index, 0)
        with path.open("rb") as file:
            file.seek(heard)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.heard[index] = heard + len(whole)
        lines = whole.decode("utf-8").splitlines()
        for line in lines if heard else lines[1:]:  # the first is the item's label
            self.told(index, line)

    def _ask(self) -> None:
        now = time.monotonic()
        if self.jobs is not None and now - self.asked < self.how.ask_s:
            return
        self.asked = now
        try:
            self.jobs = queue.jobs_of(self.folder)
            self.answered = now
        except queue.NoAnswerError as error:
            self.no_answer = str(error)
            self.jobs = self.jobs or {number: queue.Job("UNKNOWN") for number in set(self.open.values())}

    def _ended(self) -> list[int]:
        """List the jobs that have ended with items open: they left word of it, or Slurm says so."""
        left_word = places.numbered(self.folder, places.EXIT)
        jobs = self.jobs or {}
        return [
            number
            for number in sorted(set(self.open.values()))
            if number in left_word or not jobs.get(number, queue.Job(queue.GONE)).is_alive
        ]

    def _of_ended(self, number: int) -> Iterator[tuple[int, Any]]:
        ends = time.monotonic() + self.how.grace_s
        job = (self.jobs or {}).get(number, queue.Job(queue.GONE))
        code = self.folder / f"{number}{places.EXIT}"
        while True:
            yield from self._found()
            left = [index for index, of in self.open.items() if of == number]
            if not left or (code.exists() and code.read_text().strip() not in ("", "0")):
                break
            if time.monotonic() > ends:
                break
            time.sleep(min(self.how.look_s, self.how.grace_s / 4))
        why = why_ended(self.folder, number, job, self.how.settings)
        for place, index in enumerate(left):
            del self.open[index]
            is_first = place == 0
            yield index, Lost(why if is_first else not_begun(number))

    def _given_up(self) -> Iterator[tuple[int, Any]]:
        why = (
            f"Slurm has not answered for {self.how.patience_s / 60:.0f} minutes ({self.no_answer}). Its jobs "
            f"may go on; give the same command when `squeue` answers."
        )
        self.has_given_up = True
        for index in list(self.open):
            del self.open[index]
            yield index, Lost(why)


def _submitted(folder: Path) -> str:
    """Submit the jobs of a folder; of jobs that were surely not taken nothing stays, for none to wait for."""
    try:
        return queue.submit(folder / places.SCRIPT)
    except MedunsupError as error:
        if "timed out" not in str(error):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def wait_for_left(roots: Sequence[Path], *, ask_s: float = 5.0) -> None:
    """Wait for the jobs of runs that were ended, so that no scan is worked on twice; clear their folders.

    Raises OutputError if Slurm does not tell whether they are alive.
    """
    for folder in (folder for root in roots for folder in places.left_folders(root)):
        is_told = False
        while alive := _alive(folder):
            if not is_told:
                many = f"{alive} job{'s' if alive != 1 else ''}"
                how = f"scancel -n {queue.job_name(folder)}"
                tell(log, "Waiting for %s of a run that was ended; `%s` ends them.", many, how)
                is_told = True
            time.sleep(ask_s)
        shutil.rmtree(folder, ignore_errors=True)


def _are_gone(folder: Path, within_s: float) -> bool:
    ends = time.monotonic() + within_s
    try:
        while any(job.is_alive for job in queue.jobs_of(folder).values()):
            if time.monotonic() > ends:
                return False
            time.sleep(0.2)
    except queue.NoAnswerError:
        return not (folder / places.SCRIPT).exists()
    return True


def _alive(folder: Path) -> int:
    try:
        if not (folder / places.SCRIPT).exists():
            return 0
        return sum(job.is_alive for job in queue.jobs_of(folder).values())
    except queue.NoAnswerError as error:
        raise OutputError(
            f"{folder.parents[2]}: Slurm jobs of a run that was ended may be at work there, and Slurm does "
            f"not tell ({error}). Start the run where `squeue` answers, or delete {folder} if none is alive."
        ) from error
    except PermissionError as error:
        raise OutputError(
            f"{folder.parents[2]}: jobs of another user's run may be at work there. Take another folder, or "
            f"have that user end them and delete {folder}."
        ) from error
