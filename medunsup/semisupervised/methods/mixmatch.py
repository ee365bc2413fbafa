"""MixMatch: sharpened guesses over several views, and mixtures of all items."""

import torch
from pydantic import Field
from torch.nn import functional

from medunsup.core.registry import register
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.semisupervised.base import FewLabels, FewLabelsConfig
from medunsup.semisupervised.learner import FewLabelsLearner, Unlabelled
from medunsup.semisupervised.losses.consistency import consistency
from medunsup.semisupervised.losses.mixup import mixup
from medunsup.semisupervised.losses.sharpen import sharpen
from medunsup.semisupervised.losses.soft_cross_entropy import soft_cross_entropy
from medunsup.training.learner import Batch, Loss, View


class MixMatchConfig(FewLabelsConfig):
    """Parameters of MixMatch."""

    unlabelled_weight: float = Field(
        2.0, ge=0, description="what the squared error of unlabelled items counts (paper: 75, in long runs)"
    )
    n_views: int = Field(2, ge=1, le=8, description="weak views that a guess is the mean of")
    temperature: float = Field(0.5, gt=0, le=1, description="sharpening of guesses; 1 leaves them")
    alpha: float = Field(0.75, gt=0, description="shares of mixtures are drawn from Beta(alpha, alpha)")


class MixMatchLearner(FewLabelsLearner):
    """One network, taught by mixtures of items and of what is known or guessed of them."""

    def changes(self) -> list[Augmentations]:
        """As many weak views as guesses are made of."""
        return [self.config.weak] * self.config.n_views

    def guess(self, batch: Batch) -> torch.Tensor:
        """Return the sharpened mean (B, K) of the answers to all views, without gradient."""
        with torch.no_grad():
            said = [
                self.task.scores(self.arms["semisupervised"], view).softmax(dim=1) for view in batch.views
            ]
            return sharpen(torch.stack(said).mean(dim=0), self.config.temperature)

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Losses of items of both kinds, mixed with one another; a piece of a batch is mixed in itself."""
        labelled, others = self.split(batch)
        n, views = len(labelled), others.views if len(others) else ()
        known = functional.one_hot(self.task.targets(labelled), self.task.classes).float()
        shown = [labelled.views[0], *views]
        targets = torch.cat([known, *([self.guess(others)] * len(views))])
        values, masks = torch.cat([one.values for one in shown]), torch.cat([one.masks for one in shown])
        values, targets, masks = mixup(values, targets, masks, alpha=self.config.alpha, generator=generator)
        scores = self.task.scores(self.arms["semisupervised"], View(values, masks))
        share, size = self.labelled_share, len(batch)
        supervised = soft_cross_entropy(scores[:n], targets[:n]).sum() / (share * size)
        free = consistency(scores[n:], targets[n:]).sum() / ((1 - share) * size * self.config.n_views)
        terms = {"labelled": supervised.detach(), "unlabelled": free.detach()}
        terms["coverage"] = free.new_tensor(len(others) / ((1 - share) * size))
        return Loss(supervised + self.weight() * free, terms)

    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Squared error to the guess, of the first view, not mixed."""
        scores = self.task.scores(self.arms["semisupervised"], batch.views[0])
        found = consistency(scores, self.guess(batch))
        return Unlabelled(found, torch.ones_like(found))


@register(
    "mixmatch",
    family="networks",
    dims=(2, 3),
    paper="Berthelot et al., MixMatch: a holistic approach to semi-supervised learning, NeurIPS 2019, "
    "arXiv:1905.02249",
    limit="A mixture of two scans is no scan; where fine detail tells the class it is lost in it.",
)
class MixMatch(FewLabels):
    """All items are mixed with one another, with labels that are given or guessed over several views.

    Parameters
    ----------
    config : MixMatchConfig
        Parameters of the method, listed by `help(MixMatch.Config)`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan; voxels are not for this method.

    Attributes
    ----------
    learner_ : MixMatchLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept: the method's, or that of the labelled scans alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.nn import make_encoder
    >>> from medunsup.semisupervised import MixMatch, Scans
    >>> images = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> labels = np.array([0, 1, -1, -1, -1, -1, -1, -1])
    >>> scans = Scans(images, np.ones((8, 16, 16, 1), bool), labels=labels)
    >>> config = MixMatch.Config(steps=2, batch_size=4, encoder_share=1.0)
    >>> method = MixMatch(config, make_encoder("cnn", dims=2, channels=1), classes=2).fit(scans)
    >>> method.probabilities(scans).shape
    (8, 2)
    """

    Config = MixMatchConfig
    Learner = MixMatchLearner
    learner_: MixMatchLearner
