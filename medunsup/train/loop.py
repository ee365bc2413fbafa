"""The one training loop: CPU, GPU, several of them, mixed precision; stopped and resumed at will."""

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from medunsup.core.errors import InputError, OutputError
from medunsup.train import checkpoint
from medunsup.train.learner import Learner
from medunsup.train.monitor import ITEMS_SHOWN, Monitor, Progress
from medunsup.train.step import Stepper, draw
from medunsup.train.stop import StoppedError, StopRequest, stop_on_signal
from medunsup.train.views import View


@dataclass(frozen=True)
class Training:
    """Where and how a run happens; what is learned is said by the model's config.

    Attributes
    ----------
    folder : takes checkpoint, log and pictures; None keeps nothing on disk.
    resume : go on from the folder's checkpoint.
    precision : "32-true", or mixed: "16-mixed" (GPU) and "bf16-mixed".
    accelerator : "auto" takes a GPU if there is one.
    devices : how many GPUs, or processes on the CPU.
    parts : pieces a batch is worked off in, spread over the devices (None: one each). More pieces take less
        memory; the same number of pieces gives the same weights on any number of devices, up to rounding.
    patience : stop after so many epochs without a better validation loss; None never stops early.
    checkpoint_every_s : seconds between checkpoints; 0 writes one after every batch.
    pictures_every : epochs between sheets of sample reconstructions.
    tell : called after every batch.
    tensorboard : log there as well.
    """

    folder: Path | None = None
    resume: bool = False
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    parts: int | None = None
    patience: int | None = 10
    checkpoint_every_s: float = 60.0
    pictures_every: int = 5
    tell: Callable[[Progress], None] | None = None
    tensorboard: bool = False


@dataclass(frozen=True)
class Trained:
    """How a run ended; `best_epoch` is the one whose weights were kept, both count from 1."""

    epochs: int
    best_epoch: int
    best_validation: float | None


def train(
    learner: Learner,
    view: View,
    validation: View | None,
    training: Training,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
) -> Trained:
    """Train a learner in place; with `validation` it ends with its best weights, else with its last.

    Raises
    ------
    StoppedError : SIGINT or SIGTERM came; the checkpoint is complete.
    StepError : a loss is not finite; names the scans. The last good checkpoint stays.
    InputError, UsageError : the checkpoint to resume from is damaged, or of another run.
    OutputError : the folder holds a run already, or cannot be written.
    """
    run = _Run(learner, view, validation, training, epochs, min(batch_size, len(view)), seed)
    fabric = _fabric(training)
    if training.devices == 1:
        return run.go(fabric)
    trained, state = fabric.launch(_go_and_return, run)
    learner.load_state_dict(state)
    return trained


def _fabric(training: Training) -> Any:
    from lightning.fabric import Fabric

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Fabric(
            accelerator=training.accelerator,
            devices=training.devices,
            precision=training.precision,
            strategy="auto" if training.devices == 1 else "ddp_spawn",
        )


def _go_and_return(fabric: Any, run: "_Run") -> tuple[Trained, dict[str, Tensor]]:
    trained = run.go(fabric)
    return trained, {name: value.cpu() for name, value in run.learner.state_dict().items()}


@dataclass
class _Place:
    """How far a run has come: all of a checkpoint but weights and optimisers."""

    epoch: int = 0
    batch: int = 0
    best: float | None = None
    best_epoch: int = 0
    rows: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class _Run:
    """One run, as it goes on in one process."""

    learner: Learner
    view: View
    validation: View | None
    training: Training
    epochs: int
    batch_size: int
    seed: int

    def go(self, fabric: Any) -> Trained:
        """Go through all epochs, from the checkpoint on if asked to."""
        self.fabric = fabric
        self.learner.to(fabric.device)
        parts = self.training.parts or fabric.world_size
        self.stepper = Stepper(fabric, self.learner, seed=self.seed, parts=parts)
        self.batches = len(self.view.order(self.seed, 0)) // self.batch_size
        self.place = _Place()
        self.best: dict[str, Tensor] | None = None
        self._open()
        with torch.random.fork_rng(), stop_on_signal(active=self.path is not None) as stop:
            while self.place.epoch < self.epochs and not self._is_out_of_patience():
                self._epoch(stop)
        self._save()
        if self.best is not None:
            self.learner.load_state_dict(self.best)
        place = self.place
        return Trained(place.epoch, place.best_epoch or place.epoch, place.best)

    @property
    def path(self) -> Path | None:
        """Where the checkpoint lies; only the first process writes it."""
        folder = self.training.folder
        return None if folder is None else Path(folder) / checkpoint.NAME

    def _epoch(self, stop: StopRequest) -> None:
        place, started = self.place, time.monotonic()
        order = self.view.order(self.seed, place.epoch)
        here = self.batches - place.batch
        self.learner.train()
        for number in range(place.batch, self.batches):
            items = order[number * self.batch_size : (number + 1) * self.batch_size]
            step, steps = place.epoch * self.batches + number, self.epochs * self.batches
            terms = self.stepper.take(self.view, items, step, steps)
            self._count(terms)
            place.batch = number + 1
            self.monitor.step(place.epoch + 1, self.epochs, step + 1, steps, terms, place.best)
            self._pause(stop)
        self._close_epoch(here * self.batch_size / (time.monotonic() - started))

    def _count(self, terms: dict[str, Tensor]) -> None:
        for name, value in terms.items():
            self.place.sums[name] = self.place.sums.get(name, 0.0) + float(value)
            self.place.counts[name] = self.place.counts.get(name, 0) + 1

    def _close_epoch(self, samples_per_s: float) -> None:
        """Validate, keep the weights if they are the best so far, log."""
        place = self.place
        place.epoch, place.batch = place.epoch + 1, 0
        validation = self._validate()
        if validation is not None and (place.best is None or validation < place.best):
            place.best, place.best_epoch = validation, place.epoch
            self.best = {name: value.clone() for name, value in self.learner.state_dict().items()}
        means = {name: total / place.counts[name] for name, total in place.sums.items()}
        place.sums, place.counts = {}, {}
        row = {"epoch": place.epoch, **means, "validation": validation, "samples_per_s": samples_per_s}
        self.monitor.epoch(row)
        place.rows = self.monitor.rows
        if place.epoch % self.training.pictures_every == 0 or place.epoch == self.epochs:
            self._picture()

    def _validate(self) -> float | None:
        """Mean loss over the validation items; the random numbers are the same in each epoch."""
        if self.validation is None:
            return None
        self.learner.eval()
        generator = torch.Generator(self.fabric.device)
        total = 0.0
        with torch.no_grad(), self.fabric.autocast():
            for first in range(0, len(self.validation), self.batch_size):
                items = np.arange(first, min(first + self.batch_size, len(self.validation)))
                batch = self.validation.batch(items, first).to(self.fabric.device)
                seed = draw(self.seed, first)
                torch.manual_seed(seed)
                total += len(items) * float(self.learner.validate(batch, generator.manual_seed(seed)))
        return total / len(self.validation)

    def _is_out_of_patience(self) -> bool:
        patience, place = self.training.patience, self.place
        return patience is not None and place.best is not None and place.epoch - place.best_epoch >= patience

    def _picture(self) -> None:
        view = self.validation or self.view
        chosen = np.linspace(0, len(view) - 1, 2 * min(ITEMS_SHOWN, len(view)) + 1).astype(int)[1::2]
        self.learner.eval()
        self.monitor.pictures(self.learner, view.batch(chosen).to(self.fabric.device), self.place.epoch)

    def _pause(self, stop: StopRequest) -> None:
        """Write a checkpoint when it is time to, or when asked to stop."""
        is_asked = self._any_process(bool(stop))
        if is_asked or time.monotonic() - self.saved >= self.training.checkpoint_every_s:
            self._save()
        if is_asked:
            raise StoppedError(
                f"Stopped in epoch {self.place.epoch + 1} of {self.epochs}, after batch {self.place.batch} "
                f"of {self.batches}. {self.path} is complete: go on with --resume."
            )

    def _any_process(self, flag: bool) -> bool:
        if self.fabric.world_size == 1:
            return flag
        return bool(
            self.fabric.all_reduce(torch.tensor(float(flag), device=self.fabric.device), reduce_op="sum")
        )

    def _open(self) -> None:
        """Prepare the folder; take over the checkpoint when resuming."""
        if self.path is not None and self.training.resume:
            self._load(self.path)
        elif self.path is not None and self.path.exists():
            raise OutputError(
                f"{self.path} exists already. Go on with --resume, or choose another folder (-o)."
            )
        folder = self.training.folder if self.fabric.global_rank == 0 else None
        tell = self.training.tell if self.fabric.global_rank == 0 else None
        self.monitor = Monitor(
            folder, tell=tell, tensorboard=self.training.tensorboard, rows_kept=self.place.rows
        )
        self.saved = time.monotonic()

    def _identity(self) -> dict[str, Any]:
        """Name what must be the same for a run to be the same run."""
        return {
            "seed": self.seed,
            "epochs": self.epochs,
            "batch size": self.batch_size,
            "parts": self.training.parts or self.fabric.world_size,
            "scans": list(self.view.names),
            "items": len(self.view),
            "validation items": 0 if self.validation is None else len(self.validation),
        }

    def _save(self) -> None:
        self.saved = time.monotonic()
        if self.path is None or self.fabric.global_rank:
            return
        content = {
            "identity": self._identity(),
            "place": asdict(self.place),
            "learner": self.learner.state_dict(),
            "best": self.best,
            "optimizers": self.stepper.state(),
        }
        checkpoint.save(self.path, content)

    def _load(self, path: Path) -> None:
        content = checkpoint.load(path)
        checkpoint.check_same_run(path, content["identity"], self._identity())
        try:
            self.learner.load_state_dict(content["learner"])
            self.stepper.load_state(content["optimizers"])
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{path}: made by another network. Resume with the same parameters.") from error
        self.place, self.best = _Place(**content["place"]), content["best"]
