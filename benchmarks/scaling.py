"""Wall time of many scans by executor and number of processes, and of planning stand-ins.

    python benchmarks/scaling.py                           # made-up heads, 1 and 2 processes
    python benchmarks/scaling.py --scans 8 --jobs 1 2 4    # more of them
    python benchmarks/scaling.py --executors processes dask

Each row is one run of the command line, from its start to its end, in an environment where each process has
one thread; `x 1` is how many times faster it is than the first row. Cores that are busy with other work make
all of it meaningless: the load before each run is printed beside it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # for the phantom


@dataclass(frozen=True)
class Row:
    """One run: how many scans at the same time, where, how long, and how busy the machine was before it."""

    executor: str
    jobs: int
    wall_s: float
    load: float


def make_scans(folder: Path, n: int, spacing_mm: float) -> list[Path]:
    """Write made-up heads."""
    from helpers.phantom import make_anatomy, save

    head = make_anatomy(spacing_mm=(spacing_mm,) * 3, head=True)
    return [save(head.image("T1w", seed=seed), folder / f"head{seed:03d}.nii.gz") for seed in range(n)]


def run(scans: list[Path], out: Path, executor: str, jobs: int) -> Row:
    """Segment all scans by one command."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1")
    words = ["segment", *map(str, scans), "-o", str(out), "--executor", executor, "-j", str(jobs), "-q"]
    load, started = os.getloadavg()[0], time.perf_counter()
    subprocess.run([sys.executable, "-m", "medunsup", *words], check=True, env={**os.environ, **one_thread})
    return Row(executor, jobs, time.perf_counter() - started, load)


def plan(n: int) -> tuple[float, float]:
    """Return the seconds that planning `n` stand-ins takes, half of them done: wall and of the processor."""
    from helpers import stand_in_scans as stand_ins

    from medunsup.cohort.executors.processes import Processes
    from medunsup.cohort.plan import look
    from medunsup.cohort.request import ScanRequest

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        scans = stand_ins.make_stand_ins(Path(folder) / "in", ["ok"] * n)
        stand_ins.run_stand_ins(scans[: n // 2], out, Processes())
        started = time.perf_counter(), time.process_time()
        requests = [stand_ins.StandInRequest(ScanRequest(scan, out=out)) for scan in scans]
        with stand_ins.reserved([request.names for request in requests], Processes()):
            look(requests, stand_ins.DERIVATIVE, force=False)
        return time.perf_counter() - started[0], time.process_time() - started[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--scans", type=int, default=4)
    parser.add_argument("--spacing", type=float, default=2.0, help="mm, of the made-up heads")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--executors", nargs="+", default=["processes"])
    parser.add_argument("--planned", type=int, default=1000, help="stand-ins to plan")
    given = parser.parse_args()
    wall, cpu = plan(given.planned)
    print(f"{given.planned} scans planned, half of them done: {wall:.2f} s ({cpu:.2f} s of the processor)\n")
    print(f"| executor | at a time | wall s, {given.scans} scans | x 1 | load before |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        scans = make_scans(Path(folder), given.scans, given.spacing)
        first = None
        for executor in given.executors:
            for jobs in given.jobs:
                row = run(scans, Path(folder) / f"{executor}{jobs}", executor, jobs)
                first = first or row.wall_s
                figures = f"{row.wall_s:.1f} | {first / row.wall_s:.2f} | {row.load:.1f}"
                print(f"| {row.executor} | {row.jobs} | {figures} |")


if __name__ == "__main__":
    main()
