"""A network that learns from labelled and unlabelled items, beside one that sees the labelled alone."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from math import exp
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.semisupervised.mixed import labelled_in_batch
from medunsup.semisupervised.tasks import FewLabelsTask
from medunsup.semisupervised.watching import name_failure
from medunsup.training.learner import Batch, Learner, Loss, Objective, Sharing, StepProgress, View
from medunsup.training.optimizers import AdamW, Cosine

Arm = Literal["semisupervised", "supervised"]

STEEPNESS = 5.0  # of the ramp-up, as Laine & Aila, ICLR 2017, have it
AT_ONCE = 16


class Unlabelled(NamedTuple):
    """Loss of each unlabelled item (B,), and which share of each is used (B,)."""

    loss: Tensor
    used: Tensor


class FewLabelsLearner(Learner):
    """Two networks alike, in two arms: one learns from all items, the other from the labelled ones alone.

    Both see the same labelled items in the same views, for as many steps. A method gives `unlabelled`, and
    the views that it needs; what makes its pseudo-labels is `labeller`, what answers in the end `network`.

    Parameters
    ----------
    config : FewLabelsConfig
        Parameters of the method.
    pretrained : Encoder
        What both networks start from; it stays as it is.
    task : FewLabelsTask
        What they are asked.

    Attributes
    ----------
    task : FewLabelsTask
        What they are asked.
    knows_truth : bool
        Whether labels of watched items were not learned from, so that pseudo-labels can be judged by them.
    """

    fraction: Tensor
    is_supervised_kept: Tensor

    def __init__(self, config: Any, pretrained: Encoder, task: FewLabelsTask) -> None:
        super().__init__()
        self.config, self.task, self.knows_truth = config, task, False
        start = task.network(deepcopy(pretrained))
        self.arms = nn.ModuleDict({"semisupervised": start, "supervised": deepcopy(start)})
        self.register_buffer("fraction", torch.zeros(()))
        self.register_buffer("is_supervised_kept", torch.zeros((), dtype=torch.bool))

    @abstractmethod
    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Return the loss of unlabelled items.

        Parameters
        ----------
        batch : Batch
            Unlabelled items, in the views of `changes`.
        generator : Generator
            Where random numbers come from.

        Returns
        -------
        Unlabelled
            Loss and used share of each item.
        """

    def changes(self) -> list[Augmentations]:
        """Say which views are made; labelled items are learned from in the first.

        Returns
        -------
        list of Augmentations
            One for each view.
        """
        return [self.config.weak]

    def network(self, arm: Arm) -> nn.Module:
        """Return the network of an arm that answers in the end.

        Parameters
        ----------
        arm : {'semisupervised', 'supervised'}
            Which one.

        Returns
        -------
        Module
            The network.
        """
        return self.arms[arm]

    @property
    def kept(self) -> Arm:
        """Arm that was chosen; the method's own until then."""
        return "supervised" if bool(self.is_supervised_kept) else "semisupervised"

    def labeller(self) -> nn.Module:
        """Return the network that makes pseudo-labels.

        Returns
        -------
        Module
            The network.
        """
        return self.arms["semisupervised"]

    def learned(self) -> list[nn.Module]:
        """Return the networks that the method trains.

        Returns
        -------
        list of Module
            The networks.
        """
        return [self.arms["semisupervised"]]

    def known(self, batch: Batch) -> Tensor:
        """Return the supervised loss of labelled items.

        Parameters
        ----------
        batch : Batch
            Labelled items.

        Returns
        -------
        Tensor
            A mean over items.
        """
        return self._known("semisupervised", batch)

    def objectives(self) -> Sequence[Objective]:
        """Return one objective an arm."""
        return [
            self._objective("few_labels", self.learned(), self.loss),
            self._objective("supervised", [self.arms["supervised"]], self._supervised),
        ]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Make the views of a training batch; validation items are seen as they are."""
        changes = self.changes() if self.config.augment else [Augmentations()] * len(self.changes())
        return self.task.views(batch, generator, changes) if self.training else batch

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Supervised loss of the labelled items, and the weighted one of the others."""
        labelled, others = self.split(batch)
        share = self.labelled_share
        n_known, n_others = share * len(batch), (1 - share) * len(batch)
        zero = batch.values.new_zeros(())
        supervised = self.known(labelled) * len(labelled) / n_known if len(labelled) else zero
        found = self.unlabelled(others, generator) if len(others) else Unlabelled(zero, zero)
        free, used = found.loss.sum() / n_others, found.used.float().sum() / n_others
        terms = {"labelled": supervised, "unlabelled": free, "coverage": used}
        total = supervised + self.weight() * free
        return Loss(total, {name: term.detach() for name, term in terms.items()})

    def weight(self) -> float:
        """Return what the loss of unlabelled items counts now.

        Returns
        -------
        float
            `unlabelled_weight`, from nearly 0 on rising over the first `ramp` of the steps.
        """
        way = min(1.0, float(self.fraction) / self.config.ramp) if self.config.ramp else 1.0
        return self.config.unlabelled_weight * exp(-STEEPNESS * (1 - way) ** 2)

    def after_step(self, progress: StepProgress) -> None:
        """Keep how far the run is."""
        self.fraction.fill_(progress.fraction)

    def sharing(self, buffer: str) -> Sharing:
        """All processes know how far the run is, and which network is kept."""
        return "same" if buffer in ("fraction", "is_supervised_kept") else super().sharing(buffer)

    def validate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the supervised loss of what answers in the end."""
        scores = self.task.scores(self.network("semisupervised"), View(batch.values, batch.masks))
        return self.task.loss(scores, self.task.targets(batch))

    def measure(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        """Return how right and how one-sided pseudo-labels of a fixed sample are."""
        parts = [self._pseudo_labels(part) for part in batch.split(AT_ONCE)]
        said, targets, used = (torch.cat(one) for one in zip(*parts, strict=True))
        figures = {}
        if len(said):
            figures["pseudo_commonest"] = float(said.bincount().max() / len(said))
        judged = used & (targets >= 0)
        if self.knows_truth and judged.any():
            figures["pseudo_accuracy"] = float((said == targets)[judged].float().mean())
        return figures

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Say in words what goes wrong with the pseudo-labels."""
        return name_failure(history, epochs=self.config.epochs)

    def split(self, batch: Batch) -> tuple[Batch, Batch]:
        """Take a batch apart.

        Parameters
        ----------
        batch : Batch
            Items.

        Returns
        -------
        tuple of Batch
            The labelled items, and the others.
        """
        is_known = (self.task.targets(batch) >= 0).reshape(len(batch), -1).all(dim=1)
        return chosen(batch, is_known), chosen(batch, ~is_known)

    @property
    def labelled_share(self) -> float:
        """Share of a batch that is labelled."""
        size = self.config.batch_size
        return labelled_in_batch(size, self.config.labelled_share) / size

    def _known(self, arm: Arm, batch: Batch) -> Tensor:
        return self.task.loss(self.task.scores(self.arms[arm], batch.views[0]), self.task.targets(batch))

    def _supervised(self, batch: Batch, generator: torch.Generator) -> Loss:
        labelled, _ = self.split(batch)
        if not len(labelled):
            return Loss(torch.zeros((), device=batch.values.device, requires_grad=True) * 0, {})
        share = len(labelled) / (self.labelled_share * len(batch))
        return Loss(self._known("supervised", labelled) * share, {})

    def _objective(self, name: str, networks: Sequence[nn.Module], loss: Any) -> Objective:
        config = self.config

        def of_encoders() -> Iterator[nn.Parameter]:
            return (p for one in networks for p in one.get_submodule("encoder").parameters())

        return Objective(
            name,
            lambda: [p for one in networks for p in one.parameters()],
            loss,
            AdamW(config.learning_rate),
            Cosine(config.warmup),
            config.weight_decay,
            slow=of_encoders,
            slow_share=config.encoder_share,
        )

    def _pseudo_labels(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return class, truth or -1, and whether it would be used, of the elements that are asked for."""
        view = View(batch.values, batch.masks)
        best, said = self.task.scores(self.labeller(), view).softmax(dim=1).max(dim=1)
        inside = self.task.inside(view)
        used = best > getattr(self.config, "threshold", 0.0)
        return said[inside], self.task.targets(batch)[inside], used[inside]


def chosen(batch: Batch, rows: Tensor) -> Batch:
    """Take some items, given as (B,) bool."""
    known = rows.cpu()
    own = {name: getattr(batch, name) for name in ("owners", "covariates", "labels")}
    own = {name: None if one is None else one[known] for name, one in own.items()}
    return replace(batch.each(lambda tensor: tensor[rows]), scans=batch.scans[known], **own)


def mean_inside(elements: Tensor, inside: Tensor) -> Tensor:
    """Return the mean (B,) of each item's elements (B, ...) that are asked for; 0 without any."""
    weights = inside.to(elements.dtype).flatten(1) if inside.ndim > 1 else inside.to(elements.dtype)[:, None]
    return (elements.reshape(weights.shape) * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
