"""What Slurm's own commands say, asked for with a limit on the time they take."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.executors.slurm.script import job_name
from medunsup.core.errors import DependencyError, OutputError, UsageError
from medunsup.core.hints import option

ANSWER_S = 60.0
ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
}
GONE = "GONE"  # Slurm does not know the job any more


class NoAnswerError(Exception):
    """Slurm does not answer, or is not here; says how."""


@dataclass(frozen=True)
class Job:
    """One job of an array: its state as Slurm calls it, and on which node it is or was."""

    state: str
    node: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it waits or works."""
        return self.state not in ENDED and self.state != GONE


def submit(script: Path) -> str:
    """Submit an array and return its number. Raises MedunsupError with the remedy."""
    try:
        return _said("sbatch", "--parsable", str(script)).strip().split(";")[0]
    except FileNotFoundError as error:
        raise DependencyError(no_sbatch()) from error
    except NoAnswerError as error:
        if "nable to contact" in str(error) or "imed out" in str(error):
            raise OutputError(f"Slurm does not answer ({error}). Try again when `sinfo` does.") from error
        if "configuration source" in str(error):
            raise DependencyError(
                f"This computer knows of no Slurm cluster ({error}): {_start_where_it_is()}"
            ) from error
        raise UsageError(
            f"Slurm refused the jobs ({error}). Check {option('partition')}, {option('account')}, "
            f"{option('time')}, {option('mem')} and {option('cpus')}."
        ) from error


def jobs_of(folder: Path) -> dict[int, Job]:
    """Look up the jobs of a folder by their number in the array. Raises NoAnswerError."""
    try:
        text = _said("squeue", "-h", "-r", "-t", "all", "-n", job_name(folder), "-o", "%K|%T|%N")
    except FileNotFoundError as error:
        raise NoAnswerError("squeue is not there") from error
    rows = [line.strip().split("|") for line in text.splitlines()]
    return {int(row[0]): Job(row[1], row[2]) for row in rows if len(row) == 3 and row[0].isdigit()}


def cancel(folder: Path) -> None:
    """End all jobs of a folder; what cannot be reached is left."""
    try:
        _said("scancel", "-n", job_name(folder))
    except (FileNotFoundError, NoAnswerError):
        return


def no_sbatch() -> str:
    """Say what to do where Slurm is not."""
    return "sbatch is not there: " + _start_where_it_is()


def _start_where_it_is() -> str:
    return (
        "start the run on a machine of the cluster from which jobs are submitted, choose another "
        f"{option('executor')}, or see in a dry run what would be submitted."
    )


def _said(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoAnswerError(f"{words[0]} timed out") from error
    if done.returncode:
        raise NoAnswerError(_last(done.stderr) or f"{words[0]} ended with {done.returncode}")
    return done.stdout


def _last(text: str, lines: Sequence[str] = ()) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
