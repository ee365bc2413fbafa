"""One job of an array: `python -m medunsup.cohort.executors.slurm.job FOLDER NUMBER`."""

import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from medunsup.cohort.executors.kept import keep, read_kept
from medunsup.cohort.executors.slurm.places import ITEMS, RESULT, SAID, TASK, one_line
from medunsup.cohort.executors.threads import limit_threads
from medunsup.core.cores import available_cores


def main(folder: Path, number: int) -> None:
    """Do the job's items, each once: one that has a result already, of a job that was requeued, is left."""
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[logging.NullHandler()])  # warnings that matter are in the scan's record
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clears its files first
    limit_threads(available_cores())
    task = read_kept(folder / TASK)
    for index, label, item in read_kept(folder / f"{number}{ITEMS}"):
        place = folder / f"{index}{RESULT}"
        if not place.exists():
            say = _sayer(folder / f"{index}{SAID}")
            say(label)
            keep(place, task(item, say))


def _sayer(path: Path) -> Callable[[str], None]:
    def say(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(one_line(text) + "\n")

    return say


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
