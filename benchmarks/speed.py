"""Time and memory of `medunsup segment`, first as ratios to ANTs N4 + Atropos measured in the same run.

    python benchmarks/speed.py                             # mask given and whole head, 3 runs each
    python benchmarks/speed.py --peer-python PATH          # one with antspyx (0.6 needs numpy < 2.4)
    python benchmarks/speed.py --sizes                     # cost over voxel size, 0.7 to 2 mm
    python benchmarks/speed.py --large                     # 512 x 512 x 400 voxels

Every row is the median of runs, each a process of its own from file to all outputs (ours: with the report).
CPU seconds and peak memory come from the kernel (`wait4`); wall time is only as good as the machine is idle.
Real scans come from MEDUNSUP_DATA (default ../shared/data); without them a made-up head is used and named.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SIZES_MM = (0.7, 1.0, 1.4, 2.0)
LARGE_SHAPE = (512, 512, 400)


@dataclass(frozen=True)
class Cost:
    """What one run took; `peak_mib` is the largest resident set of any of its processes."""

    cpu_s: float
    wall_s: float
    peak_mib: float


@dataclass(frozen=True)
class Row:
    """Median cost of one job on one input."""

    job: str
    input: str
    n_voxels: int
    n_runs: int
    cost: Cost


@dataclass(frozen=True)
class Scan:
    """An image, its brain mask, and what to call it in the table."""

    name: str
    image: Path
    mask: Path | None = None

    @property
    def n_voxels(self) -> int:
        """Number of voxels of the image."""
        import nibabel
        import numpy as np

        return int(np.prod(nibabel.load(self.image).shape))


def main() -> None:
    """Measure what the options ask for and print the tables."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="medunsup-speed-") as folder:
        work = Path(folder)
        rows = compare(options, work)
        if options.sizes:
            rows += over_sizes(options, work)
        if options.large:
            rows += on_large(options, work)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2), encoding="utf-8")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of each job; the median counts")
    parser.add_argument("--threads", type=int, default=2, help="threads that every program may use")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter with antspyx")
    parser.add_argument("--no-peer", action="store_true", help="do not run ANTs")
    parser.add_argument("--sizes", action="store_true", help=f"also at {SIZES_MM} mm")
    parser.add_argument("--large", action="store_true", help=f"also at {LARGE_SHAPE} voxels")
    parser.add_argument("--json", type=Path, help="write all rows here")
    return parser.parse_args()


def compare(options: argparse.Namespace, work: Path) -> list[Row]:
    """Ours with the mask given beside the peer, run in turns, then ours on a whole head."""
    brain, head = find_scans(work)
    jobs: dict[str, tuple[Scan, Callable[[Path], list[str]]]] = {
        "medunsup, mask given": (brain, lambda out: ours(brain, out)),
    }
    if not options.no_peer and has_ants(options.peer_python):
        jobs["ANTs N4 + Atropos, mask given"] = (brain, lambda out: ants(options.peer_python, brain, out))
    jobs["medunsup, whole head"] = (head, lambda out: ours(head, out))
    costs: dict[str, list[Cost]] = {name: [] for name in jobs}
    for _ in range(options.runs):
        for name, (_, command) in jobs.items():
            costs[name].append(measure(command, work, options.threads))
    rows = [row_of(name, scan, costs[name]) for name, (scan, _) in jobs.items()]
    if len(rows) == 3:
        print_ratios(rows[0], rows[1])
    elif not options.no_peer:
        print(f"No peer: {options.peer_python} has no antspyx (--peer-python, or pip install '.[bench]').\n")
    print_rows(rows)
    return rows


def over_sizes(options: argparse.Namespace, work: Path) -> list[Row]:
    """Ours on one scan resampled to several voxel sizes, and how cost grows with voxels."""
    import numpy as np

    brain, _ = find_scans(work)
    rows = []
    for size in SIZES_MM:
        scan = resampled(brain, work, spacing_mm=(size,) * 3)
        costs = [
            measure(lambda out, scan=scan: ours(scan, out), work, options.threads)
            for _ in range(options.runs)
        ]
        rows.append(row_of("medunsup, mask given", scan, costs))
    print_rows(rows)
    voxels, seconds = (
        [np.log(value) for value in column]
        for column in zip(*((r.n_voxels, r.cost.cpu_s) for r in rows), strict=True)
    )
    print(f"CPU time grows as voxels to the power {np.polyfit(voxels, seconds, 1)[0]:.2f} (1 is linear).\n")
    return rows


def on_large(options: argparse.Namespace, work: Path) -> list[Row]:
    """Ours on one very large scan, once."""
    brain, _ = find_scans(work)
    scan = resampled(brain, work, shape=LARGE_SHAPE)
    rows = [
        row_of("medunsup, mask given", scan, [measure(lambda out: ours(scan, out), work, options.threads)])
    ]
    print_rows(rows)
    return rows


def ours(scan: Scan, out: Path) -> list[str]:
    """Command line of `medunsup segment`."""
    call = "import sys; sys.argv[0] = 'medunsup'; from medunsup.cli.main import run; run()"
    given = ["--mask", str(scan.mask)] if scan.mask else []
    return [sys.executable, "-c", call, "segment", str(scan.image), *given, "-o", str(out), "--quiet"]


def ants(python: str, scan: Scan, out: Path) -> list[str]:
    """Command line of this file's own ANTs job, in an interpreter that has antspyx."""
    return [python, "-c", ANTS, str(scan.image), str(scan.mask), str(out)]


# k-means start and the customary random field, as ANTs' own documentation has it.
ANTS = """
import sys, os, ants
image, mask, out = sys.argv[1:]
os.makedirs(out)
image, mask = ants.image_read(image), ants.image_read(mask)
image = ants.n4_bias_field_correction(image, mask=mask)
found = ants.atropos(a=image, x=mask, i="kmeans[3]", m="[0.1,1x1x1]", c="[5,0]")
ants.image_write(found["segmentation"], out + "/dseg.nii.gz")
for n, probability in enumerate(found["probabilityimages"]):
    ants.image_write(probability, f"{out}/prob{n}.nii.gz")
ants.image_write(image, out + "/corrected.nii.gz")
"""


def has_ants(python: str) -> bool:
    """Whether an interpreter can import antspyx."""
    return subprocess.run([python, "-c", "import ants"], capture_output=True, check=False).returncode == 0


def measure(command: Callable[[Path], list[str]], work: Path, threads: int) -> Cost:
    """Run one job in a process of its own and ask the kernel what it took."""
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    names = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
        "NUMBA_NUM_THREADS",
    )
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    started = time.perf_counter()
    process = subprocess.Popen(command(out), env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(process.args[:6])} ... failed with exit code {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def row_of(job: str, scan: Scan, costs: list[Cost]) -> Row:
    """Take the median of each cost."""
    middle = Cost(*(median(getattr(cost, key) for cost in costs) for key in ("cpu_s", "wall_s", "peak_mib")))
    return Row(job, scan.name, scan.n_voxels, len(costs), middle)


def find_scans(work: Path) -> tuple[Scan, Scan]:
    """Find a brain with its mask and a whole head: real ones, or made-up ones if there are none."""
    data = Path(os.environ.get("MEDUNSUP_DATA", ROOT.parent / "shared" / "data"))
    brains = sorted((data / "tissue_malf").glob("*_T1w.nii.gz"))
    head = data / "heads" / "chris_t1.nii.gz"
    if brains and head.is_file():
        mask = brains[0].with_name(brains[0].name.replace("_T1w", "_mask"))
        return Scan(f"OASIS {brains[0].name.split('_')[0]}", brains[0], mask), Scan("chris_t1", head)
    return made_up(work)


def made_up(work: Path) -> tuple[Scan, Scan]:
    """Write the phantom of the tests at 1 mm, as a brain and as a head."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.phantom import make_anatomy, save

    brain, head = (make_anatomy(spacing_mm=(1.0, 1.0, 1.0), head=is_head) for is_head in (False, True))
    mask = save(brain.mask, work / "phantom_mask.nii.gz", dtype="uint8")
    return (
        Scan("phantom brain", save(brain.image(), work / "phantom_T1w.nii.gz"), mask),
        Scan("phantom head", save(head.image(), work / "phantomhead_T1w.nii.gz")),
    )


def resampled(
    scan: Scan,
    work: Path,
    *,
    spacing_mm: tuple[float, ...] | None = None,
    shape: tuple[int, ...] | None = None,
) -> Scan:
    """Write the same field of view on another grid, given its spacing or its shape."""
    import SimpleITK as sitk  # noqa: N813

    image, mask = sitk.ReadImage(str(scan.image), sitk.sitkFloat32), sitk.ReadImage(str(scan.mask))
    extent = [n * s for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    if spacing_mm is not None:
        shape = tuple(round(length / s) for length, s in zip(extent, spacing_mm, strict=True))
    spacing = [length / n for length, n in zip(extent, shape, strict=True)]
    name = f"{scan.name}, " + (f"{spacing_mm[0]:g} mm" if spacing_mm else " x ".join(map(str, shape)))
    paths = []
    for kind, source, how in (("T1w", image, sitk.sitkLinear), ("mask", mask, sitk.sitkNearestNeighbor)):
        grid = (shape, sitk.Transform(), how, source.GetOrigin(), spacing, source.GetDirection())
        paths.append(work / f"resampled{'x'.join(map(str, shape))}_{kind}.nii.gz")
        sitk.WriteImage(sitk.Resample(source, *grid), str(paths[-1]))
    return Scan(name, *paths)


def print_ratios(mine: Row, peer: Row) -> None:
    """Print the figures that travel between machines."""
    pairs = (("CPU time", "cpu_s"), ("wall time", "wall_s"), ("peak memory", "peak_mib"))
    print(f"{mine.job} / {peer.job}, {mine.input}, medians of {mine.n_runs}:")
    for name, key in pairs:
        print(f"  {name}: {getattr(mine.cost, key) / getattr(peer.cost, key):.2f} x")
    print()


def print_rows(rows: list[Row]) -> None:
    """Print a Markdown table."""
    print("| job | input | million voxels | runs | CPU s | wall s | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        cost = f"{row.cost.cpu_s:.1f} | {row.cost.wall_s:.1f} | {row.cost.peak_mib:.0f}"
        print(f"| {row.job} | {row.input} | {row.n_voxels / 1e6:.1f} | {row.n_runs} | {cost} |")
    print(flush=True)


if __name__ == "__main__":
    main()
