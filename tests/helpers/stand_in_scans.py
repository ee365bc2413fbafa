"""Stand-ins for scans and for a verb that works through them: files of a line, done in no time.

What a scan's file says is what happens to it: `ok`, `slow SECONDS`, `fail`, `killed` (its process is killed),
`hungry` (killed as well where there is no file `fed` beside it). Each time one is begun and done, a line is
added to `begun.log` or `done.log` in its folder.
"""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.batch import Outcome, attempt, in_order, reserved
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.choose import executor
from medunsup.cohort.identity import Status
from medunsup.cohort.plan import carry_out, look
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import StepError
from medunsup.io.bids.names import OutputNames
from medunsup.io.bids.outputs import Derivative, Output
from medunsup.io.files.atomic import write_json

MADE = Output("made", "made.json", False, "What a stand-in leaves")
DERIVATIVE = Derivative("stand-ins", "Stand-ins", "", MADE, (MADE,))


@dataclass(frozen=True)
class StandInRequest:
    """A stand-in that something is asked of."""

    scan: ScanRequest

    @property
    def names(self) -> OutputNames:
        return self.scan.names

    def missing(self) -> str:
        return self.scan.missing()

    def status(self) -> tuple[Status, str]:
        return ("done", "") if self.names.path(MADE).exists() else ("new", "")


def make_stand_ins(folder: Path, words: Iterable[str]) -> list[Path]:
    """Write one stand-in a word."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n, word in enumerate(words):
        paths.append(folder / f"scan{n:04d}.nii")
        paths[-1].write_text(word)
    return paths


def run_stand_ins(scans: Iterable[Path], out: Path, where: Executor, *, force: bool = False) -> list[Outcome]:
    """Work through stand-ins as a verb works through scans."""
    requests = [StandInRequest(ScanRequest(scan, out=out)) for scan in scans]
    with reserved([request.names for request in requests], where):
        planned = look(requests, DERIVATIVE, force=force)
        outcomes = carry_out(
            planned, do_stand_in, Outcome, _read, record=MADE, force=force, executor=where, progress=None
        )
        return list(in_order(outcomes, [request.scan.path for request in requests], None))


def do_stand_in(request: StandInRequest, say: Callable[[str], None]) -> Outcome:
    """Do what a stand-in's file says."""
    return attempt(request.scan.path, Outcome, lambda: _do(request, say))


def times(folder: Path, what: str) -> Counter[str]:
    """Count how often each stand-in was begun, or done."""
    path = folder / f"{what}.log"
    return Counter(path.read_text().split()) if path.exists() else Counter()


def _do(request: StandInRequest, say: Callable[[str], None]) -> Outcome:
    scan = request.scan.path
    _note(scan, "begun")
    say("working")
    word, *more = scan.read_text().split()
    if word == "slow":
        time.sleep(float(more[0]))
    if word == "fail":
        raise StepError("it is broken on purpose. Leave it out.")
    if word == "killed" or (word == "hungry" and not (scan.parent / "fed").exists()):
        os.kill(os.getpid(), signal.SIGKILL)
    write_json(request.names.path(MADE), {"made of": scan.name})
    _note(scan, "done")
    return _read(request, "done")


def _note(scan: Path, what: str) -> None:
    with (scan.parent / f"{what}.log").open("a") as file:
        file.write(f"{scan.name}\n")


def _read(request: StandInRequest, status: str) -> Outcome:
    made = json.loads(request.names.path(MADE).read_text())
    return Outcome(request.scan.path, status, warnings=(made["made of"],))


def main() -> None:
    """Run as a program: FOLDER OUT EXECUTOR JOBS [WORKERS]."""
    folder, out, name, jobs, *workers = sys.argv[1:]
    where = executor(name, jobs=int(jobs), workers=workers[0] if workers else None)
    run_stand_ins(sorted(Path(folder).glob("*.nii")), Path(out), where)


if __name__ == "__main__":
    from helpers import stand_in_scans  # by its own name, under which workers find the task

    stand_in_scans.main()
