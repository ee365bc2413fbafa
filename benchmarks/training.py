"""What the training loop costs beside a bare PyTorch loop, and how long the small denoising U-Net takes.

    python benchmarks/training.py                  # on the CPU: both ratios, then 50 scans x 10 epochs
    python benchmarks/training.py --rounds 9       # more rounds of the ratios
    python benchmarks/training.py --ratio-only
    python benchmarks/training.py --device cuda    # a table of slices and volumes in float32 and bf16
    python benchmarks/training.py --device cpu     # the same table, of sizes that a CPU can take

Without `--device`: two loops train the same learner on the same slices in one process, in turns; each round
gives one ratio of CPU seconds and one of wall seconds. The bare loop has its batches laid out beforehand and
does nothing else: no log, checkpoint, pictures or check for NaN. On a busy machine these ratios scatter; the
CPU seconds around a step of nothing hardly do. Then a step that only sleeps, for as long as gathering a batch
takes: is the next one gathered meanwhile?
Real scans come from MEDUNSUP_DATA (default ../shared/data); without them made-up ones are used and named.

With `--device`: samples a second of the loop, of a bare loop and of a tuned one (channels_last in two
dimensions, cuDNN's search, TF32, fused Adam), both of these over batches that lie on the device already.
Scans are made up.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from learning import healthy_files, on_template_grid

from medunsup.anomaly.models.dae import DAE, DAEConfig
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.datasets import Dataset, Slices, Volumes
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.loop import Training, train
from medunsup.training.monitor import Progress
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Scans

N_SCANS, EPOCHS = 50, 10
SCANS_OF_RATIO = 8
CONFIG = DAEConfig(epochs=EPOCHS)

Seconds = tuple[float, float]
Precision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True)
class Size:
    """One row of the table: `shape` of the scans, `batch` items of `dims` dimensions."""

    dims: Literal[2, 3]
    shape: tuple[int, int, int]
    scans: int
    batch: int

    def __str__(self) -> str:
        return f"{self.dims}D {'x'.join(map(str, self.shape[: self.dims]))}, {self.batch} a batch"


SIZES = {
    "cuda": [Size(2, (256, 256, 64), 12, 64), Size(3, (128, 128, 128), 32, 8)],
    "cpu": [Size(2, (64, 64, 32), 4, 16), Size(3, (32, 32, 32), 8, 2)],
}
WARM_UP, MEASURED = 10, 40


def load_scans(n_scans: int) -> tuple[str, Scans]:
    """Healthy scans on the template grid, from their files."""
    files = healthy_files()[:n_scans]
    if len(files) < n_scans:
        return "made-up scans", made_up(n_scans, ModelSpace().shape)
    return "healthy_t1_2mm", on_template_grid(files)


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


def print_overhead(scans: Scans, rounds: int) -> None:
    """CPU of everything around the step, which work on other cores moves far less than it moves the step."""
    data, size = Slices(scans.values, scans.masks), CONFIG.batch_size
    settings = {"epochs": 1, "batch_size": size, "seed": 0}
    batches = len(data.order(0, 0)) // size
    spent = []
    for _ in range(rounds + 1):  # the first imports what it needs
        with TemporaryDirectory() as folder:
            how = Training(accelerator="cpu", folder=folder)
            spent.append(measured(lambda how=how: train(Sleeper(0.0), data, None, how, **settings))[0])
    around = min(spent[1:]) / batches
    step = bare_loop([data.batch(data.order(0, 0)[:size])] * 4)[0] / 4
    print(f"step / (step + all around it), by CPU time: {step / (step + around):.3f}")
    print(f"  {1000 * around:.1f} ms a batch around a step of {1000 * step:.0f} ms")


class Sleeper(Learner):
    """Stands in for a network on a GPU: its step takes `seconds` and no CPU."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.weight, self.seconds = torch.nn.Parameter(torch.zeros(1)), seconds

    def objectives(self) -> list[Objective]:
        """Return one objective: the sleep."""
        return [Objective("sleep", self.parameters, self.loss, Adam())]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Sleep."""
        time.sleep(self.seconds)
        return Loss(self.weight.square().sum(), {})


def print_prefetch(rounds: int) -> None:
    size = SIZES["cuda"][0]
    data = dataset_of(size)
    items = data.order(0, 0)[: size.batch]
    gathering = median(measured(lambda: data.batch(items))[1] for _ in range(rounds + 2))
    how, shares = Training(accelerator="cpu"), {}
    for name, is_ahead in (("ahead", True), ("when asked for", False)):
        data.transforms.is_own = is_ahead
        rates = [loop_rate(Sleeper(gathering), data, size, how) for _ in range(rounds)]
        shares[name] = [rate * gathering / size.batch for rate in rates]
    ahead, asked = shares["ahead"], median(shares["when asked for"])
    print(f"loop / a step that sleeps as long as gathering takes: {median(ahead):.3f}")
    print(f"  median of {rounds} rounds, best {max(ahead):.3f}; gathered only when asked for {asked:.3f}")
    print(f"  gathering {size}: {1000 * gathering:.0f} ms")


def dataset_of(size: Size) -> Dataset:
    scans = made_up(size.scans, size.shape)
    return {2: Slices, 3: Volumes}[size.dims](scans.values, scans.masks)


def learner_of(size: Size) -> Learner:
    config = DAEConfig(dims=size.dims, batch_size=size.batch)
    return DAE(config)._build((1, *size.shape))


def loop_rate(learner: Learner, data: Dataset, size: Size, training: Training) -> float:
    """Count samples a second of the loop once it is warm, as users run it but for a folder."""
    times: list[float] = []

    def tell(progress: Progress) -> None:
        times.append(time.perf_counter())

    batches = len(data.order(0, 0)) // size.batch
    epochs = -(-(WARM_UP + MEASURED) // batches)
    how = Training(precision=training.precision, accelerator=training.accelerator, tell=tell)
    train(learner, data, None, how, epochs=epochs, batch_size=size.batch, seed=0)
    return size.batch * (len(times) - WARM_UP) / (times[-1] - times[WARM_UP - 1])


def bare_rate(size: Size, data: Dataset, device: torch.device, precision: Precision, *, tuned: bool) -> float:
    """Count samples a second of nothing but forward, backward and Adam, over batches on the device."""
    with tuning(active=tuned):
        learner = learner_of(size).to(device).train()
        flat = torch.channels_last if tuned and size.dims == 2 else torch.contiguous_format
        order = data.order(0, 0)[: 4 * size.batch].reshape(-1, size.batch)
        batches = [data.batch(items).each(lambda x: x.to(device, memory_format=flat)) for items in order]
        (objective,) = learner.objectives()
        rate = objective.optimizer.learning_rate
        optimizer = torch.optim.Adam(learner.parameters(), lr=rate, fused=tuned and device.type == "cuda")
        generator = torch.Generator(device).manual_seed(0)

        def steps(count: int) -> None:
            for batch in islice(cycle(batches), count):
                optimizer.zero_grad()
                with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
                    loss = objective.loss(batch, generator)
                loss.total.backward()
                optimizer.step()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        steps(WARM_UP)
        _, seconds = measured(lambda: steps(MEASURED))
    return size.batch * MEASURED / seconds


@contextmanager
def tuning(*, active: bool) -> Iterator[None]:
    """CuDNN's search for the fastest kernels, and TF32."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32
    if active:
        cudnn.benchmark = cudnn.allow_tf32 = matmul.allow_tf32 = True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = before


def print_table(device: torch.device) -> None:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}; samples a second, and the loop's share of the others")
    print(f"{'':32}{'loop/bare':>10}{'loop/tuned':>11}{'loop':>9}{'bare':>9}{'tuned':>9}")
    accelerator = "gpu" if device.type == "cuda" else "cpu"
    for size in SIZES[device.type]:
        data = dataset_of(size)
        for precision in ("32-true", "bf16-mixed"):
            how = Training(accelerator=accelerator, precision=precision)
            loop = loop_rate(learner_of(size), data, size, how)
            bare, tuned = (bare_rate(size, data, device, precision, tuned=is_so) for is_so in (False, True))
            row = f"{loop / bare:10.3f}{loop / tuned:11.3f}{loop:9.1f}{bare:9.1f}{tuned:9.1f}"
            print(f"{f'{size}, {precision[:4]}':32}{row}", flush=True)


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
    parser.add_argument("--device", choices=("cpu", "cuda"), help="print the table of this device instead")
    given = parser.parse_args()
    if given.device:
        print_table(torch.device(given.device))
        return
    scans = load_scans(SCANS_OF_RATIO)[1]
    print_ratio(scans, given.rounds)
    print_overhead(scans, given.rounds)
    print_prefetch(given.rounds)
    if not given.ratio_only:
        print_whole_run()


if __name__ == "__main__":
    main()
