"""The one training loop: CPU, GPU, several of them, mixed precision; stopped and resumed at will."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medunsup.core.errors import InputError, MedunsupError, OutputError, StepError
from medunsup.core.hints import option
from medunsup.training import checkpoint, distributed, launched
from medunsup.training.datasets import Dataset, Draws
from medunsup.training.determinism import deterministic
from medunsup.training.feed import Feed, Request, Work
from medunsup.training.learner import Learner, StepProgress
from medunsup.training.monitor import ITEMS_SHOWN, Monitor
from medunsup.training.settings import Training
from medunsup.training.signals import StoppedError, StopRequest, stop_on_signal
from medunsup.training.stepper import Stepper
from medunsup.training.validation import Validation
from medunsup.training.watch import Row, Watch, is_enough


@dataclass(frozen=True)
class Trained:
    """How a run ended; `best_epoch` is the one whose weights were kept, both count from 1.

    `verdict` is what its figures show to be wrong at the end, in words; empty if nothing is.
    """

    epochs: int
    best_epoch: int
    best_validation: float | None
    verdict: str = ""


def train(
    learner: Learner,
    dataset: Dataset,
    validation: Dataset | None,
    training: Training,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    config: Mapping[str, Any] | None = None,
) -> Trained:
    """Train a learner in place; it ends with the weights that `training.keep` asks for, else with its last.

    `config` is what else the run follows from, as plain values by name: a checkpoint is resumed with the same
    alone.

    Raises
    ------
    StoppedError : SIGINT or SIGTERM came; the checkpoint is complete.
    StepError : a loss is not finite; names the scans. The last good checkpoint stays.
    InputError, UsageError : the checkpoint to resume from is damaged, or of another run.
    OutputError : the folder holds a run already, or cannot be written.
    """
    training = launched.on_all_devices(training)
    plan = _Plan(epochs, min(batch_size, len(dataset.order(seed, 0))), seed, dict(config or {}))
    training.check_pieces(plan.batch_size)
    where = {name: getattr(training, name) for name in ("accelerator", "devices", "precision")}
    with distributed.told_here(training.tell, devices=training.devices) as tell:
        here = replace(training, tell=tell)
        go = partial(_go, dataset=dataset, validation=validation, training=here, plan=plan)
        return Trained(**distributed.launch(go, learner, **where))


@dataclass(frozen=True)
class _Plan:
    epochs: int
    batch_size: int
    seed: int
    config: dict[str, Any]


@dataclass
class _Place:
    """How far a run has come: all of a checkpoint but weights and optimisers."""

    epoch: int = 0
    batch: int = 0
    best: float | None = None
    best_epoch: int = 0
    score: float | None = None
    score_epoch: int = 0
    rows: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    verdict: str = ""
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def _go(
    fabric: Any,
    learner: Learner,
    *,
    dataset: Dataset,
    validation: Dataset | None,
    training: Training,
    plan: _Plan,
) -> dict[str, Any]:
    """Run in this process; return the fields of `Trained`."""
    is_on_gpu = fabric.device.type == "cuda"
    with torch.random.fork_rng(), deterministic(active=training.deterministic and is_on_gpu):
        return _Run(fabric, learner, dataset, validation, training, plan).go()


class _Run:
    """One run, as it goes on in one process."""

    def __init__(
        self,
        fabric: Any,
        learner: Learner,
        dataset: Dataset,
        validation: Dataset | None,
        training: Training,
        plan: _Plan,
    ) -> None:
        self.fabric, self.learner = fabric, learner.to(fabric.device)
        self.dataset, self.validation = dataset, validation
        self.training, self.plan = training, plan
        self.parts = training.parts or fabric.world_size
        self.stepper = Stepper(fabric, learner, seed=plan.seed, parts=self.parts)
        shown = validation if validation is not None and is_enough(validation) else dataset
        self.watch = Watch(fabric, learner, shown, seed=plan.seed)
        self.batches = len(dataset.order(plan.seed, 0)) // plan.batch_size
        self.folder = None if training.folder is None else Path(training.folder)
        self.path = None if self.folder is None else self.folder / checkpoint.NAME
        self.place = _Place()
        self.best: dict[str, Tensor] | None = None

    def go(self) -> dict[str, Any]:
        """Go through all epochs, from the checkpoint on if asked to."""
        self._open()
        self.saved = time.monotonic()
        if self.watch.is_active and not self.place.history:
            self._note(self.watch.measure())
        alone = self.fabric.world_size == 1
        with stop_on_signal(active=self.path is not None, insist=alone) as stop:
            with self._feed().works(self._requests()) as works:
                while self.place.epoch < self.plan.epochs and not self._is_out_of_patience():
                    self._epoch(works, stop)
            self._save()
            if stop.is_made:
                raise self._stopped(stop)
        if self.best is not None:
            self.learner.load_state_dict(self.best)
        place = self.place
        best_epoch = place.score_epoch if self.training.keep == "score" else place.best_epoch
        kept = place.epoch if self.best is None else best_epoch
        return {
            "epochs": place.epoch,
            "best_epoch": kept,
            "best_validation": place.best,
            "verdict": place.verdict,
        }

    def _feed(self) -> Feed:
        fabric = self.fabric
        return Feed(
            self.dataset,
            fabric.device,
            parts=self.parts,
            rank=fabric.global_rank,
            processes=fabric.world_size,
            workers=self.training.workers,
        )

    def _requests(self) -> Iterator[Request]:
        """All batches that are left of the run."""
        seed, size, first = self.plan.seed, self.plan.batch_size, self.place.batch
        for epoch in range(self.place.epoch, self.plan.epochs):
            order = self.dataset.order(seed, epoch)
            for start in range(first * size, self.batches * size, size):
                yield Request(order[start : start + size], Draws(seed, epoch, start))
            first = 0

    def _epoch(self, works: Iterator[Work], stop: StopRequest) -> None:
        """Take the batches that are left of this epoch, then validate, log and draw."""
        first, started = self.place.batch, time.monotonic()
        self.learner.train()
        for number in range(first, self.batches):
            self._batch(next(works), number)
            self._pause(stop)
        items = (self.batches - first) * self.plan.batch_size
        self._close_epoch(items / (time.monotonic() - started))

    def _batch(self, work: Work, number: int) -> None:
        place, epochs = self.place, self.plan.epochs
        step, steps = place.epoch * self.batches + number + 1, epochs * self.batches
        progress = StepProgress(step, steps, place.epoch + 1, epochs)
        terms = self.stepper.take(work, progress, self.dataset.names_of)
        losses = {name: float(value) for name, value in terms.items()}
        for name, value in losses.items():
            place.sums[name] = place.sums.get(name, 0.0) + value
            place.counts[name] = place.counts.get(name, 0) + 1
        place.batch = number + 1
        self.monitor.step(place.epoch + 1, epochs, step, steps, losses, place.best)

    def _close_epoch(self, samples_per_s: float) -> None:
        """Validate, keep the weights if they are the best so far, log."""
        place = self.place
        place.epoch, place.batch = place.epoch + 1, 0
        validation, measured = self._validate(), self.watch.measure()
        if self._is_best(validation, measured):
            self.best = {name: value.clone() for name, value in self.learner.state_dict().items()}
        means = {name: total / place.counts[name] for name, total in place.sums.items()}
        place.sums, place.counts = {}, {}
        self._note({**means, "validation": validation, **measured}, samples_per_s=samples_per_s)
        if place.epoch % self.training.pictures_every == 0 or place.epoch == self.plan.epochs:
            self._draw_pictures()

    def _is_best(self, validation: float | None, measured: Row) -> bool:
        """Note the lowest validation loss and the highest score; say whether these weights are to be kept."""
        place, keep = self.place, self.training.keep
        is_lowest = validation is not None and (place.best is None or validation < place.best)
        if is_lowest:
            place.best, place.best_epoch = validation, place.epoch
        if keep != "score":
            return is_lowest and keep == "best"
        score = self.learner.score({"epoch": place.epoch, **measured})
        is_highest = score is not None and (place.score is None or score > place.score)
        if is_highest:
            place.score, place.score_epoch = score, place.epoch
        return is_highest

    def _note(self, figures: Row, **beside: float) -> None:
        """Log the figures of an epoch, and keep them if what they show is looked at."""
        place = self.place
        self.monitor.epoch(place.epoch, {**figures, **beside})
        place.rows = self.monitor.rows
        if self.watch.is_active:
            place.history.append({"epoch": place.epoch, **figures})
            place.verdict = self.watch.verdict(place.history)

    def _validate(self) -> float | None:
        """Validate after an epoch, if there is something to validate on."""
        if self.validation is None:
            return None
        validation = Validation(
            self.fabric,
            self.learner,
            self.validation,
            seed=self.plan.seed,
            batch_size=self.plan.batch_size,
            workers=self.training.workers,
        )
        return validation.loss(began=(self.place.epoch - 1) / self.plan.epochs)

    def _is_out_of_patience(self) -> bool:
        patience, place = self.training.patience, self.place
        return patience is not None and place.best is not None and place.epoch - place.best_epoch >= patience

    def _draw_pictures(self) -> None:
        self.learner.eval()
        shown = self.watch.sample(ITEMS_SHOWN)
        self.monitor.pictures(self.learner, shown, self.place.epoch, of_images=self.watch.is_of_images)

    def _pause(self, stop: StopRequest) -> None:
        """Write a checkpoint when it is time to, or when asked to stop."""
        is_due = time.monotonic() - self.saved >= self.training.checkpoint_every_s
        is_stopped, is_due = distributed.agree(self.fabric, stop.is_made, is_due)
        if is_stopped or is_due:
            self._save()
        if is_stopped:
            raise self._stopped(stop)

    def _stopped(self, stop: StopRequest) -> StoppedError:
        done = self.place.epoch * self.batches + self.place.batch
        return StoppedError(
            f"Stopped after batch {done} of {self.plan.epochs * self.batches}. "
            f"{self.path} is complete: go on with {option('resume', True)}.",
            stop.number,
        )

    def _open(self) -> None:
        """Prepare the folder; take over the checkpoint when resuming."""
        training, is_first = self.training, self.fabric.global_rank == 0
        if self.path is not None:
            self.identity = self._identify()
            if training.resume:
                self._load(self.path)
            elif self.path.exists():
                raise OutputError(
                    f"{self.path} exists. Go on with {option('resume', True)}, "
                    f"or choose another folder ({option('out')})."
                )
        self.monitor = Monitor(
            self.folder if is_first else None,
            tell=training.tell if is_first else None,
            tensorboard=training.tensorboard,
            rows_kept=self.place.rows,
        )

    def _identify(self) -> dict[str, Any]:
        """Say what must be the same for a run to be the same run."""
        data = {"scans": self.dataset, "validation scans": self.validation}
        scans = {name: None if one is None else one.digest() for name, one in data.items()}
        plan = asdict(self.plan)
        return {**plan.pop("config"), **plan, "parts": self.parts, **scans}

    def _save(self) -> None:
        """Write the checkpoint from the first process; if that fails, all processes end."""
        self.saved = time.monotonic()
        if self.path is None:
            return
        failure: MedunsupError | None = None
        if self.fabric.global_rank == 0:
            try:
                checkpoint.save(self.path, self._content())
            except MedunsupError as error:
                failure = error
        (has_failed,) = distributed.agree(self.fabric, failure is not None)
        if has_failed:
            raise failure or OutputError(f"{self.path} could not be written.")

    def _content(self) -> dict[str, Any]:
        state = self.learner.state_dict()
        if not all(torch.isfinite(value).all() for value in state.values()):
            raise StepError(f"Weights are not finite any more; {self.path} keeps the last good ones.")
        return {
            "identity": self.identity,
            "place": asdict(self.place),
            "learner": state,
            "best": self.best,
            "objectives": self.stepper.described(),
            "optimizers": self.stepper.state(),
        }

    def _load(self, path: Path) -> None:
        content = checkpoint.load(path)
        checkpoint.check_same_run(path, content["identity"], self.identity)
        objectives = self.stepper.described()
        checkpoint.check_same_run(path, content.get("objectives", objectives), objectives)
        try:
            self.learner.load_state_dict(content["learner"])
            self.stepper.load_state(content["optimizers"])
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{path}: made by another network. Resume with the same parameters.") from error
        self.place = _Place(**content["place"])
        self.best = None if self.training.keep == "last" else content["best"]
