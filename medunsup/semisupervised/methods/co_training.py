"""Co-training: two networks see two views, and each teaches the other."""

from copy import deepcopy
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.semisupervised.base import FewLabels, FewLabelsConfig
from medunsup.semisupervised.learner import Arm, FewLabelsLearner, Unlabelled
from medunsup.semisupervised.losses.pseudo_label import pseudo_label
from medunsup.semisupervised.tasks import FewLabelsTask
from medunsup.training.learner import Batch


class CoTrainingConfig(FewLabelsConfig):
    """Parameters of co-training."""

    threshold: float = Field(
        0.8, ge=0, le=1, description="probability above which a network teaches the other one"
    )


class CoTrainingLearner(FewLabelsLearner):
    """Two networks, the first sees weak views and the second strong ones; both answer in the end."""

    def __init__(self, config: Any, pretrained: Encoder, task: FewLabelsTask) -> None:
        super().__init__(config, pretrained, task)
        self.second = task.network(deepcopy(pretrained))

    def changes(self) -> list[Augmentations]:
        """Make a view for each network."""
        return [self.config.weak, self.config.strong]

    def network(self, arm: Arm) -> nn.Module:
        """Return both networks as one, or the network of the labelled items alone."""
        return Both(self.arms["semisupervised"], self.second) if arm == "semisupervised" else self.arms[arm]

    def labeller(self) -> nn.Module:
        """Return both networks as one."""
        return self.network("semisupervised")

    def learned(self) -> list[nn.Module]:
        """Return both networks."""
        return [self.arms["semisupervised"], self.second]

    def known(self, batch: Batch) -> Tensor:
        """Mean of both networks' losses, each of its own view."""
        first, second = batch.views
        targets = self.task.targets(batch)
        one = self.task.loss(self.task.scores(self.arms["semisupervised"], first), targets)
        return (one + self.task.loss(self.task.scores(self.second, second), targets)) / 2

    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Cross-entropy of each network against the sure class that the other one gives."""
        one = self.task.scores(self.arms["semisupervised"], batch.views[0])
        other = self.task.scores(self.second, batch.views[1])
        of_other, by_one = pseudo_label(one, other, self.config.threshold)
        of_one, by_other = pseudo_label(other, one, self.config.threshold)
        return Unlabelled((of_one + of_other) / 2, (by_one.float() + by_other.float()) / 2)


class Both(nn.Module):
    """The mean probability of two networks, as its logarithm."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor, masks: Tensor | None = None) -> Tensor:
        """Return scores (B, K)."""
        logs = [one(x, masks).float().log_softmax(dim=1) for one in (self.first, self.second)]
        return torch.logsumexp(torch.stack(logs), dim=0)


@register(
    "co_training",
    family="networks",
    dims=(2, 3),
    paper="Blum & Mitchell, Combining labeled and unlabeled data with co-training, COLT 1998; with "
    "networks Qiao et al., Deep co-training for semi-supervised image recognition, ECCV 2018",
    limit="It asks for views that err independently; two views of one image do not quite.",
)
class CoTraining(FewLabels):
    """Two networks see an item weakly and strongly changed; what one is sure of, the other learns.

    Parameters
    ----------
    config : CoTrainingConfig
        Parameters of the method, listed by `help(CoTraining.Config)`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan; voxels are not for this method.

    Attributes
    ----------
    learner_ : CoTrainingLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept: the method's, or that of the labelled scans alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.nn import make_encoder
    >>> from medunsup.semisupervised import CoTraining, Scans
    >>> images = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> labels = np.array([0, 1, -1, -1, -1, -1, -1, -1])
    >>> scans = Scans(images, np.ones((8, 16, 16, 1), bool), labels=labels)
    >>> config = CoTraining.Config(steps=2, batch_size=4, encoder_share=1.0)
    >>> method = CoTraining(config, make_encoder("cnn", dims=2, channels=1), classes=2).fit(scans)
    >>> method.probabilities(scans).shape
    (8, 2)
    """

    Config = CoTrainingConfig
    Learner = CoTrainingLearner
    learner_: CoTrainingLearner
