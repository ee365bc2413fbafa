"""What the training loop costs beside a bare PyTorch loop, and how long the small denoising U-Net takes.

    python benchmarks/training.py                  # ratio to the bare loop, then 50 scans x 10 epochs
    python benchmarks/training.py --rounds 9       # more rounds of the ratio
    python benchmarks/training.py --ratio-only

Both loops train the same learner on the same slices in one process, in turns; each round gives one ratio of
CPU seconds, which other work on the machine hardly moves, and one of wall seconds. The bare loop has its
batches laid out beforehand and does nothing else: no log, checkpoint, pictures or check for NaN.
Real scans come from MEDUNSUP_DATA (default ../shared/data); without them made-up ones are used and named.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from learning import healthy_files, on_lattice

from medunsup.anomaly.models.dae import DAE, DAEConfig
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.datasets import Slices
from medunsup.training.learner import Learner
from medunsup.training.loop import Training, train
from medunsup.training.scan_stack import Scans

N_SCANS, EPOCHS = 50, 10
SCANS_OF_RATIO = 8
CONFIG = DAEConfig(epochs=EPOCHS)

Seconds = tuple[float, float]


def load_scans(n_scans: int) -> tuple[str, Scans]:
    """Healthy scans on the models' lattice, from their files."""
    files = healthy_files()[:n_scans]
    if len(files) < n_scans:
        return "made-up scans", made_up(n_scans, ModelSpace().shape)
    return "healthy_t1_2mm", on_lattice(files)


def made_up(n_scans: int, shape: tuple[int, int, int]) -> Scans:
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, side) for side in shape], indexing="ij"))
    masks = np.repeat(((grid**2).sum(axis=0) < 0.9)[None], n_scans, axis=0)
    noise = np.random.default_rng(0).random((n_scans, 1, *shape), dtype=np.float32)
    return Scans(noise * masks[:, None], masks)


def new_learner() -> Learner:
    return DAE(CONFIG)._build((1, *ModelSpace().shape))


def measured(work: Callable[[], object]) -> Seconds:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def our_loop(view: Slices, folder: Path) -> Seconds:
    """Seconds for one epoch of the loop as users run it: folder, log, checkpoint at the end."""
    learner = new_learner()
    settings = {"epochs": 1, "batch_size": CONFIG.batch_size, "seed": 0}
    return measured(lambda: train(learner, view, None, Training(folder=folder), **settings))


def bare_loop(batches: list) -> Seconds:
    """Seconds for the same batches with nothing around them."""
    learner = new_learner()
    (objective,) = learner.objectives()
    optimizer = torch.optim.Adam(learner.parameters(), lr=objective.optimizer.learning_rate)
    generator = torch.Generator().manual_seed(0)

    def work() -> None:
        for batch in batches:
            optimizer.zero_grad()
            objective.loss(batch, generator).total.backward()
            optimizer.step()

    return measured(work)


def print_ratio(scans: Scans, rounds: int) -> None:
    view = Slices(scans.values, scans.masks)
    size = CONFIG.batch_size
    order = view.order(0, 0)
    batches = [view.batch(order[n * size : (n + 1) * size]) for n in range(len(order) // size)]
    ratios: list[Seconds] = []
    best = {"bare": (np.inf, np.inf), "ours": (np.inf, np.inf)}
    for number in range(rounds + 1):
        with TemporaryDirectory() as folder:
            bare, ours = bare_loop(batches), our_loop(view, Path(folder))
        if number:  # the first round warms up
            ratios.append((bare[0] / ours[0], bare[1] / ours[1]))
            best = {
                name: tuple(map(min, best[name], seconds))
                for name, seconds in (("bare", bare), ("ours", ours))
            }
    cpu, wall = (median(column) for column in zip(*ratios, strict=True))
    items = len(batches) * size
    print(f"loop / bare loop, samples a second: {cpu:.3f} by CPU time, {wall:.3f} by wall time")
    print(f"  median of {rounds} rounds of {items} slices {batches[0].values.shape[2:]}; range by CPU time")
    print(f"  {min(r[0] for r in ratios):.3f} to {max(r[0] for r in ratios):.3f}")
    for name, (cpu_s, wall_s) in best.items():
        print(
            f"  {name}: {items / cpu_s:.0f} samples a CPU second, {items / wall_s:.0f} a second (best round)"
        )


def print_whole_run() -> None:
    started = time.perf_counter(), time.process_time()
    source, scans = load_scans(N_SCANS)
    loaded = time.perf_counter() - started[0]
    with TemporaryDirectory() as folder:
        DAE(CONFIG).fit(scans, training=Training(folder=Path(folder)))
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    print(
        f"{N_SCANS} scans ({source}) x {EPOCHS} epochs of dae: {wall / 60:.1f} minutes, {cpu / 60:.1f} of CPU"
    )
    print(f"  {loaded:.0f} s of it loading; {torch.get_num_threads()} threads")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ratio-only", action="store_true")
    given = parser.parse_args()
    print_ratio(load_scans(SCANS_OF_RATIO)[1], given.rounds)
    if not given.ratio_only:
        print_whole_run()


if __name__ == "__main__":
    main()
