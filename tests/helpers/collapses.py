"""Small real trainings on made-up images, healthy or with one fault, that show how a collapse looks.

A run is a tiny network on 512 ellipses of 24 x 24; an epoch is 64 steps and takes about a second.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.selfsupervised.collapse import Collapse, name_collapse
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.losses.barlow_twins import barlow_twins
from medunsup.selfsupervised.losses.dino import dino, updated_center
from medunsup.selfsupervised.losses.masked_error import masked_error
from medunsup.selfsupervised.losses.nt_xent import nt_xent
from medunsup.selfsupervised.monitors import Monitors

SIDE, IMAGES, BATCH, STEPS = 24, 512, 64, 64
WIDTH, PROTOTYPES = 32, 64
LEARNING_RATE, TEMPERATURE = 1e-3, 0.1
TEACHER_TEMPERATURE, TEACHER_MOMENTUM, CENTER_MOMENTUM = 0.04, 0.98, 0.9
WORKERS = 4

FAULTS: dict[str, tuple[Kind, str]] = {  # what is done to a run of which kind, and what must be said of it
    "no stop-gradient": ("predictive", "constant"),
    "no centring": ("distillation", "few_prototypes"),
    "learning rate x 100": ("contrastive", "alike_features"),
    "temperature 1e-4": ("contrastive", "cold_temperature"),
    "views of noise": ("contrastive", "unrelated_views"),
    "gradients cut": ("contrastive", "loss_of_guessing"),
    "dead projector": ("contrastive", "dead_projector"),
    "constant and noise": ("predictive", "alike_features"),
    "workers alike": ("contrastive", "repeated_augmentations"),
    "wrong positives": ("contrastive", "wrong_positives"),
    "teacher temperature 10": ("distillation", "uniform_teacher"),
    "one unit wide": ("contrastive", "few_dimensions"),
    "dead encoder": ("contrastive", "zero_features"),
    "a NaN voxel": ("contrastive", "not_finite"),
}
WITHOUT_BATCH_NORM = ("constant and noise", "gradients cut")
HEALTHY: tuple[tuple[Kind, bool], ...] = (  # with batch norm, or without
    ("contrastive", True),
    ("contrastive", False),
    ("predictive", True),
    ("distillation", True),
    ("redundancy", True),
    ("redundancy", False),
    ("reconstruction", True),
)


@dataclass(frozen=True)
class Run:
    """A run's monitors, those before its first step included, and the loss of guessing, if it has one."""

    history: tuple[Monitors, ...]
    kind: Kind
    guessing: float | None
    features: np.ndarray

    def collapse(self, epoch: int | None = None) -> Collapse | None:
        """What is said of the run after an epoch, the last if none is named."""
        history = self.history if epoch is None else self.history[: epoch + 1]
        return name_collapse(history, self.kind, guessing=self.guessing)


def images(n: int, generator: torch.Generator) -> Tensor:
    """Ellipses (n, 1, 24, 24) of any size and slant, brighter on one side, with a dark spot inside."""
    axis = torch.linspace(-1, 1, SIDE)
    y, x = torch.meshgrid(axis, axis, indexing="ij")

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, generator=generator)

    slant = draw(0, math.pi)
    u, v = x * slant.cos() + y * slant.sin(), y * slant.cos() - x * slant.sin()
    inside = ((u / draw(0.4, 0.9)) ** 2 + (v / draw(0.4, 0.9)) ** 2 < 1).float()
    spot = ((u - draw(-0.3, 0.3)) ** 2 + (v - draw(-0.3, 0.3)) ** 2 < draw(0.01, 0.06)).float()
    waves = 0.3 * (draw(2, 9) * u).sin()
    return (inside * (0.6 + waves + draw(-0.4, 0.4) * u - draw(0.2, 0.8) * spot))[:, None]


def augmented(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Turn by up to 20 degrees, shift, scale and brighten each image, and add noise."""

    def draw(*shape: int) -> Tensor:
        return 2 * torch.rand(len(batch), *shape, generator=generator) - 1

    angle, size = 0.35 * draw(1), 1 + 0.15 * draw(1)
    rows = torch.cat([angle.cos() * size, -angle.sin() * size, angle.sin() * size, angle.cos() * size], dim=1)
    affine = torch.cat([rows.view(-1, 2, 2), 0.1 * draw(2, 1)], dim=2)
    moved = functional.grid_sample(
        batch, functional.affine_grid(affine, list(batch.shape), align_corners=False), align_corners=False
    )
    noise = torch.randn(batch.shape, generator=generator)
    return moved * (1 + 0.3 * draw(1, 1, 1)) + 0.05 * noise


class Network(nn.Module):
    """Encoder, projector, predictor and prototypes; each method uses what it needs."""

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        norm = nn.BatchNorm1d if batch_norm else nn.LayerNorm
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, WIDTH), (WIDTH, WIDTH)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(4, after), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)
        self.projector = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), norm(WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH)
        )
        self.predictor = nn.Sequential(nn.Linear(WIDTH, 16), norm(16), nn.ReLU(), nn.Linear(16, WIDTH))
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=8, mode="bilinear"), nn.Conv2d(WIDTH, 1, 3, 1, 1)
        )
        self.prototypes = nn.Linear(WIDTH, PROTOTYPES, bias=False)

    def features(self, batch: Tensor) -> Tensor:
        return self.encoder(batch).mean(dim=(2, 3))

    def forward(self, batch: Tensor) -> Tensor:
        return self.projector(self.features(batch))

    def logits(self, batch: Tensor) -> Tensor:
        return (
            functional.normalize(self(batch), dim=1) @ functional.normalize(self.prototypes.weight, dim=1).T
        )


class Trial:
    """One run of a kind of method, with a fault or without."""

    def __init__(self, kind: Kind, fault: str | None, seed: int, batch_norm: bool) -> None:
        torch.manual_seed(seed)
        batch_norm = batch_norm and fault not in WITHOUT_BATCH_NORM
        self.kind, self.fault, self.seed = kind, fault, seed
        self.generator = torch.Generator().manual_seed(seed)
        self.images, self.unseen = images(IMAGES, self.generator), images(256, self.generator)
        self.network, self.teacher = Network(batch_norm), Network(batch_norm)
        self.teacher.load_state_dict(self.network.state_dict())
        self.center = torch.zeros(PROTOTYPES)
        self.epoch = 0
        self.probed: Tensor | None = None
        self._spoil()
        rate = LEARNING_RATE * {"learning rate x 100": 100, "gradients cut": 0}.get(fault or "", 1)
        self.optimizer = torch.optim.Adam(self.network.parameters(), rate)

    def _spoil(self) -> None:
        with torch.no_grad():
            if self.fault == "dead projector":
                self.network.projector[1].bias.fill_(-20)
            if self.fault == "dead encoder":
                self.network.encoder[-2].bias.fill_(-20)
            if self.fault == "one unit wide":
                self.network.projector[-1] = nn.Sequential(nn.Linear(WIDTH, 1), nn.Linear(1, WIDTH))
            if self.fault == "a NaN voxel":
                self.images[7, 0, 3, 4] = torch.nan

    @property
    def guessing(self) -> float | None:
        return {"contrastive": math.log(2 * BATCH - 1), "distillation": math.log(PROTOTYPES)}.get(self.kind)

    def epochs(self, n: int) -> Iterator[Monitors]:
        for self.epoch in range(n + 1):
            losses = [self._step(batch) for batch in self._batches()] if self.epoch else []
            yield self._monitors(float(np.mean(losses)) if losses else None)

    def _batches(self) -> Iterator[Tensor]:
        passes = STEPS * BATCH // IMAGES
        in_order = self.fault == "wrong positives"
        for _ in range(passes):
            order = torch.arange(IMAGES) if in_order else torch.randperm(IMAGES, generator=self.generator)
            yield from self.images[order].split(BATCH)

    def _view(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        if self.fault == "views of noise":
            return torch.randn(batch.shape, generator=generator)
        if self.fault != "workers alike":
            return augmented(batch, generator)
        pieces = batch.chunk(WORKERS)
        return torch.cat([augmented(one, torch.Generator().manual_seed(self.seed)) for one in pieces])

    def _step(self, batch: Tensor) -> float:
        first, second = self._view(batch, self.generator), self._view(batch, self.generator)
        loss = getattr(self, f"_{self.kind}")(first, second)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.kind == "distillation":
            self._follow()
        return float(loss.detach())

    def _contrastive(self, first: Tensor, second: Tensor) -> Tensor:
        one, two = self.network(first), self.network(second)
        if self.fault == "wrong positives":
            both = torch.cat([one, two])
            one, two = both[0::2], both[1::2]
        return nt_xent(one, two, temperature=1e-4 if self.fault == "temperature 1e-4" else TEMPERATURE)

    def _predictive(self, first: Tensor, second: Tensor) -> Tensor:
        one, two = self.network(first), self.network(second)
        stop = (lambda rows: rows) if self.fault else Tensor.detach
        pairs = ((self.network.predictor(one), stop(two)), (self.network.predictor(two), stop(one)))
        return -sum(functional.cosine_similarity(p, z, dim=1).mean() for p, z in pairs) / 2

    def _redundancy(self, first: Tensor, second: Tensor) -> Tensor:
        one, two = self.network(first), self.network(second)
        return barlow_twins(one, two, redundancy=0.02)

    def _reconstruction(self, first: Tensor, second: Tensor) -> Tensor:
        coarse = torch.rand(len(first), 1, SIDE // 6, SIDE // 6, generator=self.generator) < 0.5
        hidden = functional.interpolate(coarse.float(), size=(SIDE, SIDE)) > 0
        made = self.network.decoder(self.network.encoder(first * ~hidden))
        return masked_error(made, first, hidden, torch.ones_like(hidden))

    def _distillation(self, first: Tensor, second: Tensor) -> Tensor:
        student = [self.network.logits(first), self.network.logits(second)]
        with torch.no_grad():
            teacher = [self.teacher.logits(first), self.teacher.logits(second)]
        temperature = 10.0 if self.fault == "teacher temperature 10" else TEACHER_TEMPERATURE
        loss = dino(student, teacher, self.center, teacher_temperature=temperature)
        if self.fault != "no centring":
            self.center = updated_center(self.center, teacher, momentum=CENTER_MOMENTUM)
        return loss

    @torch.no_grad()
    def _follow(self) -> None:
        for mine, its in zip(self.teacher.parameters(), self.network.parameters(), strict=True):
            mine.lerp_(its, 1 - TEACHER_MOMENTUM)

    @torch.no_grad()
    def _monitors(self, loss: float | None) -> Monitors:
        generator = torch.Generator().manual_seed(1)
        views = [self._view(self.unseen, generator) for _ in range(2)]
        features, embeddings = self.network.features(self.unseen), [self.network(view) for view in views]
        if self.fault == "a NaN voxel":
            features = self.network.features(self.images)
        if self.fault == "constant and noise":
            features = features + 1e-3 * torch.randn(features.shape, generator=generator)
            embeddings = [one + 1e-3 * torch.randn(one.shape, generator=generator) for one in embeddings]
        self.shown = features.numpy()
        teacher = None
        if self.kind == "distillation":
            temperature = 10.0 if self.fault == "teacher temperature 10" else TEACHER_TEMPERATURE
            teacher = ((self.teacher.logits(self.unseen) - self.center) / temperature).softmax(dim=1).numpy()
        copies = self._view(self.unseen[:1].expand(BATCH, -1, -1, -1), self.generator)
        probe = copies if self.probed is None else torch.cat([self.probed, copies])
        self.probed = copies
        return Monitors.of(
            self.epoch,
            loss,
            features.numpy(),
            embeddings=None if self.kind == "reconstruction" else [one.numpy() for one in embeddings],
            teacher=teacher,
            copies=probe.numpy(),
        )


def run(
    kind: Kind, fault: str | None = None, *, seed: int = 0, epochs: int = 2, batch_norm: bool = True
) -> Run:
    """Train for so many epochs, and look before the first and after each."""
    trial = Trial(kind, fault, seed, batch_norm)
    history = tuple(trial.epochs(epochs))
    return Run(history, kind, trial.guessing, trial.shown)
