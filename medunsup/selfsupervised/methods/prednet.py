"""PredNet: the next slice is predicted from those before it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.blocks import ConvBlock
from medunsup.nn.decoder import LightDecoder
from medunsup.nn.losses import inside_mean
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.learner import MEASURED_AT_ONCE, PretrainLearner
from medunsup.selfsupervised.no_better import no_better
from medunsup.selfsupervised.slice_runs import LEAST_BEFORE, SliceRuns, check_slices, earlier, hide_later
from medunsup.training.datasets import Dataset
from medunsup.training.estimator import known_of
from medunsup.training.learner import Batch, Loss, Objective, View
from medunsup.training.scan_stack import Scans
from medunsup.training.transforms import TransformOrMany

BASELINES = {"copying": "copying the last slice", "linear": "extrapolating the last two slices"}


class PredNetConfig(PretrainConfig):
    """Parameters of PredNet."""

    before: int = Field(
        3,
        ge=LEAST_BEFORE,
        le=16,
        description="slices that the next is predicted from in 2D; in 3D all before it",
    )


class PredNetLearner(PretrainLearner):
    """Encoder of the slices so far, and a light decoder of how the next differs from the last."""

    def __init__(self, shape: tuple[int, ...], config: PredNetConfig) -> None:
        super().__init__(shape, config)
        width = self.encoder.n_features
        self.decoder = LightDecoder(config.dims, self.encoder.widths, shape[0])
        self.join = ConvBlock(2, config.before * width, width) if config.dims == 2 else None

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: all networks together."""
        return [self.objective("prediction", self.loss)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Hide a slice of each volume and those above it; runs of slices stay as they are."""
        if self.join is not None:
            return batch
        (view,) = batch.views
        return batch.shown_as(hide_later(view, generator))

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error of the next slice inside its mask."""
        return Loss(self.errors(batch)["next_slice"], {})

    def errors(self, batch: Batch) -> dict[str, Tensor]:
        """Mean squared errors of the prediction, of copying the last slice, and of extrapolating two."""
        if self.join is not None:
            target, *before = batch.views
            maps = [self.encoder(view.values) for view in before]
            seen = [*maps[0][:-1], self.join(torch.cat([each[-1] for each in maps], dim=1))]
            last, second = before[0].values, before[1].values
        else:
            shown, target = batch.views
            seen = self.encoder(shown.values)
            last, second = earlier(target.values, 1), earlier(target.values, 2)
        change = self.decoder(seen, target.values.shape[2:]).float()
        guesses = {"next_slice": last + change, "copying": last, "linear": 2 * last - second}
        return {name: _error(guess, target) for name, guess in guesses.items()}

    def measure(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        """Add to the figures of the features the errors of a fixed sample."""
        figures = super().measure(batch, generator)
        if not figures:
            return figures
        parts = batch.split(MEASURED_AT_ONCE)
        found = [self.errors(self.augment(part, generator)) for part in parts]
        for name in ("next_slice", *BASELINES):
            total = sum(len(part) * float(each[name]) for part, each in zip(parts, found, strict=True))
            figures[name] = total / len(batch)
        return figures

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Name a collapse, or say that copying or extrapolating is as near."""
        return super().verdict(history) or no_better(history[-1], "next_slice", BASELINES, self.config)


def _error(guess: Tensor, target: View) -> Tensor:
    return inside_mean((guess - target.values).square(), target.masks)


@register(
    "prednet",
    family="prediction",
    dims=(2, 3),
    paper="Lotter et al., Deep predictive coding networks for video prediction and unsupervised learning, "
    "ICLR 2017, arXiv:1605.08104; slices stand for frames, and its recurrent layers are left out",
    limit="Thin slices resemble one another, so copying the last is hard to beat; thick ones tell little.",
)
class PredNet(SelfSupervised):
    """The next axial slice is predicted from those below it, as a change of the last.

    In 2D each slice is encoded alone and their coarsest maps are joined; in 3D the volume is encoded with the
    next slice and all above it hidden. The log holds the error in a fixed sample (`next_slice`), of
    validation scans if there are any, beside those of copying the last slice (`copying`) and of extrapolating
    the last two (`linear`), and a run that does not beat both says so.

    Parameters
    ----------
    config : PredNetConfig, optional
        Parameters of the method, listed by `help(PredNet.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : PredNetLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import PredNet, Scans
    >>> volumes = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16, 6)))
    >>> method = PredNet(PredNet.Config(epochs=1, batch_size=4)).fit(volumes)
    >>> method.features(volumes.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = PredNetConfig
    learner_: PredNetLearner

    def build(self, shape: tuple[int, ...]) -> PredNetLearner:
        """Make encoder and decoder."""
        return PredNetLearner(shape, self.config)

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make items: in 2D slices with those before them, in 3D volumes or patches.

        Parameters
        ----------
        scans : Scans
            Scans on one grid, of more slices than `before`.
        transform : callable, optional
            Changes each run of slices, or volume, as it is taken.

        Returns
        -------
        Dataset
            Items of the scans.

        Raises
        ------
        InputError
            If the scans have too few slices.
        """
        config = self.config
        if config.dims == 3:
            check_slices((config.patch or scans.shape[1:])[2], LEAST_BEFORE)
            return super().dataset(scans, transform)
        per_scan = config.patches_per_scan if config.patch else max(1, scans.shape[3] - config.before)
        return SliceRuns(
            scans.values,
            scans.masks,
            size=config.patch or scans.shape[1:3],
            before=config.before,
            per_scan=per_scan,
            transform=transform,
            **known_of(scans),
        )
