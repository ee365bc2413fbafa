"""The script of an array of jobs, as `sbatch` takes it."""

import os
import shlex
import sys
from itertools import pairwise
from pathlib import Path

from medunsup.cohort.executors.slurm.settings import SlurmSettings
from medunsup.cohort.executors.threads import THREAD_VARIABLES
from medunsup.core.errors import UsageError
from medunsup.core.hints import option

MOST_JOBS = 1000  # of one array: a cluster's MaxArraySize is 1001 unless it was raised
MODULE = "medunsup.cohort.executors.slurm.job"
BODY = """
cores=${{SLURM_CPUS_PER_TASK:-1}}
export {exports}
{python} -m {module} {folder} "$SLURM_ARRAY_TASK_ID"
code=$?
echo $code > {folder}/"$SLURM_ARRAY_TASK_ID".exit
exit $code
"""


def array_script(folder: Path, n_items: int, settings: SlurmSettings) -> str:
    """Write the script of the jobs that share `n_items` scans, each its part of what lies in `folder`.

    Raises UsageError if a path of it has a line break.
    """
    n_jobs = len(parts(n_items))
    at_once = f"%{settings.at_once}" if settings.at_once else ""
    asked = {
        "job-name": job_name(folder),
        "array": f"0-{n_jobs - 1}{at_once}",
        "cpus-per-task": settings.cpus,
        "time": settings.time,
        "mem": settings.mem,
        "account": settings.account,
        "partition": settings.partition,
        "chdir": _quoted(os.getcwd()),  # noqa: PTH109 - as text
        "output": _quoted(f"{_literal(folder)}/%a.log"),
        "open-mode": "append",
    }
    lines = [f"#SBATCH --{key}={value}" for key, value in asked.items() if value is not None]
    body = BODY.format(
        exports=" ".join(f"{name}=$cores" for name in THREAD_VARIABLES),
        python=shlex.quote(sys.executable),
        module=MODULE,
        folder=shlex.quote(str(folder)),
    )
    said = f"# {n_items} scan{'s' * (n_items != 1)} in {n_jobs} job{'s' * (n_jobs != 1)}"
    return "\n".join(["#!/bin/bash", said, *lines]) + "\n" + body


def job_name(folder: Path) -> str:
    """Name the jobs after their folder, by which Slurm knows them again."""
    return f"medunsup-{folder.name}"


def parts(n_items: int) -> list[range]:
    """Share items among jobs: one each up to 1,000, then as even as can be."""
    n_jobs = min(n_items, MOST_JOBS)
    edges = [n_items * n // n_jobs for n in range(n_jobs + 1)]
    return [range(first, last) for first, last in pairwise(edges)]


def _literal(path: Path) -> str:
    """Keep Slurm from reading a % of a folder's name as one of its own."""
    return str(path).replace("%", "%%")


def _quoted(text: str) -> str:
    """Quote a path for a line of `#SBATCH`; after a line break, bash would take the rest for a command."""
    if any(sign in text for sign in "\n\r"):
        raise UsageError(
            f"{text!r}: Slurm takes no path with a line break. Rename the folder, or choose another with "
            f"{option('out')}."
        )
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
