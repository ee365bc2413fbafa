"""What a whole SimCLR step costs beside the bare network on views that are ready.

    python benchmarks/representation_speed.py                # this CPU, both sizes
    python benchmarks/representation_speed.py --profile 3    # where the time of the step goes
    python benchmarks/representation_speed.py --device cuda --precision bf16-mixed

The whole step is that of the training loop: two views of each item drawn and made, both encoded, NT-Xent with
subjects, backward, AdamW. The bare network takes two ready views of the same items forward and backward, by
the mean of its embeddings. Both run in turns in one process; each turn gives a ratio, and the median counts.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import numpy as np
import torch

from medunsup.selfsupervised.methods.simclr import SimCLR, SimCLRConfig
from medunsup.training.distributed import _fabric
from medunsup.training.feed import Piece, Work
from medunsup.training.learner import Batch, StepProgress
from medunsup.training.stepper import Stepper


@dataclass(frozen=True)
class Size:
    """Items of one shape: slices, or patches of volumes."""

    dims: Literal[2, 3]
    sides: tuple[int, ...]
    batch: int

    def __str__(self) -> str:
        return f"{self.dims}D {'x'.join(map(str, self.sides))}, {self.batch} a batch"


SIZES = {
    "cpu": [Size(2, (96, 112), 32), Size(3, (48, 48, 48), 4)],
    "cuda": [Size(2, (256, 256), 64), Size(3, (96, 96, 96), 16)],
}


class Both:
    """The whole step and the bare network, of one learner."""

    def __init__(self, size: Size, options: argparse.Namespace) -> None:
        parameters = {} if options.encoder is None else {"encoder": options.encoder}
        config = SimCLRConfig(
            dims=size.dims, batch_size=size.batch, augmentations=options.augmentations, **parameters
        )
        self.fabric: Any = _fabric(options.device, 1, options.precision)
        shape = (1, *size.sides) if size.dims == 3 else (1, *size.sides, 1)
        self.learner = SimCLR(config)._build(shape).to(self.fabric.device).train()
        self.stepper = Stepper(self.fabric, self.learner, seed=0, parts=1)
        grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, side) for side in size.sides], indexing="ij"))
        masks = torch.from_numpy((grid**2).sum(axis=0) < 0.9).expand(size.batch, 1, *size.sides)
        values = torch.rand(size.batch, 1, *size.sides, generator=torch.Generator().manual_seed(0)) * masks
        batch = Batch(values, masks.contiguous(), torch.arange(size.batch)).to(self.fabric.device)
        self.work = Work(np.arange(size.batch), (Piece(0, batch, 0, 1.0),))
        self.ready = self.learner.augment(batch, torch.Generator(self.fabric.device).manual_seed(0))
        self.steps = count(1)

    def whole(self) -> None:
        """Take a step as training does."""
        self.stepper.take(self.work, StepProgress(next(self.steps), 10**6, 1, 1), lambda items: [])

    def bare(self) -> None:
        """Go through the network and back, on views that are ready."""
        self.learner.zero_grad()
        learner = self.learner
        with self.fabric.autocast():
            made = [learner.projector(learner.encoder.features(v.values, v.masks)) for v in self.ready.views]
        self.fabric.backward(sum(rows.float().mean() for rows in made))


def seconds(work: Callable[[], object], times: int) -> np.ndarray:
    """CPU and wall seconds of one of so many calls."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else (lambda: None)
    wait()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return np.array([time.process_time() - cpu, time.perf_counter() - wall]) / times


def measure(size: Size, options: argparse.Namespace) -> None:
    both, ratios, taken = Both(size, options), [], []
    for turn in range(options.rounds + 1):
        bare, whole = seconds(both.bare, options.steps), seconds(both.whole, options.steps)
        if turn:  # the first one warms up
            ratios.append(whole / bare)
            taken.append((bare[1], whole[1]))
    cpu, wall = np.median(ratios, axis=0)
    low, high = np.min(ratios, axis=0)[1], np.max(ratios, axis=0)[1]
    bare_s, whole_s = np.median(taken, axis=0)
    print(f"whole SimCLR step / bare network: {wall:.2f} by wall time, {cpu:.2f} by CPU time   {size}")
    spent = f"{1e3 * whole_s:.1f} ms and {1e3 * bare_s:.1f} ms"
    print(f"  {options.rounds} turns, by wall time {low:.2f} to {high:.2f}; {spent}")


@contextmanager
def profiled(rows: int) -> Iterator[None]:
    """Print which operations take the most time; nothing for 0 rows."""
    if not rows:
        yield
        return
    from torch.profiler import profile

    with profile() as seen:
        yield
    print(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--encoder", help="another encoder than the default")
    parser.add_argument("--augmentations", default="segmentation", help="preset of the views")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2, help="steps in a turn")
    parser.add_argument("--profile", type=int, default=0, metavar="ROWS")
    options = parser.parse_args()
    for size in SIZES[options.device]:
        measure(size, options)
        with profiled(options.profile):
            both = Both(size, options) if options.profile else None
            _ = both and both.whole()


if __name__ == "__main__":
    main()
