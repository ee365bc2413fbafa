"""Why a job ended without a result, in words with the remedy."""

from pathlib import Path

from medunsup.cohort.executors.slurm import places
from medunsup.cohort.executors.slurm.queue import GONE, Job
from medunsup.cohort.executors.slurm.settings import SlurmSettings
from medunsup.core.hints import option

KILLED = 128 + 9
TERMINATED = 128 + 15
MOST = 300  # of a log's last line


def why_ended(folder: Path, number: int, job: Job, settings: SlurmSettings) -> str:
    """Say why a job ended, from what Slurm says of it, its exit code and its log."""
    code = _code(folder / f"{number}{places.EXIT}")
    node = f" on {job.node}" if job.node else ""
    if job.state == "TIMEOUT":
        limit = f" of {settings.time}" if settings.time else ""
        return f"its job{node} reached its time limit{limit}. Give more with {option('time')}."
    if job.state == "OUT_OF_MEMORY" or code == KILLED:
        limit = f" of {settings.mem}" if settings.mem else ""
        sure = "" if job.state == "OUT_OF_MEMORY" else ", perhaps for lack of memory"
        return f"its job{node} was killed{sure}{limit}. Give more with {option('mem')}."
    if job.state == "CANCELLED" or code == TERMINATED:
        return f"its job{node} was ended from outside, or at its time limit ({option('time')}). {AGAIN}"
    if job.state in ("NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE"):
        return f"its job{node} was ended by Slurm ({job.state}). {AGAIN}"
    said = _last_line(folder / f"{number}{places.LOG}")
    if said:
        return f"its job{node} ended with code {code}: {said}"
    if code is None and not (folder / f"{number}{places.LOG}").exists():
        state = "unknown to Slurm" if job.state == GONE else job.state
        return (
            f"its job{node} ended ({state}) and left nothing in {folder.parents[2]}. "
            "See that its node has that folder, and Python at the same place."
        )
    return f"its job{node} ended without a result ({job.state}, code {code}). {AGAIN}"


AGAIN = "The same command does it again."


def not_begun(number: int) -> str:
    """Say so of the items that a job would have done after the one it ended with."""
    return f"not begun, since its job (number {number} of the array) ended before. {AGAIN}"


def _code(path: Path) -> int | None:
    try:
        return int(path.read_text().strip())
    except (OSError, ValueError):
        return None


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    told = [line.strip() for line in lines if line.strip()]
    return told[-1][:MOST] if told else ""
