"""Entropy minimisation: answers to unlabelled items shall be sure."""

import torch

from medunsup.core.registry import register
from medunsup.semisupervised.base import FewLabels, FewLabelsConfig
from medunsup.semisupervised.learner import FewLabelsLearner, Unlabelled, mean_inside
from medunsup.semisupervised.losses.entropy import entropy
from medunsup.training.learner import Batch


class EntropyMinimisationConfig(FewLabelsConfig):
    """Parameters of entropy minimisation."""


class EntropyMinimisationLearner(FewLabelsLearner):
    """One network, whose answers shall be sure."""

    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Entropy of the answers."""
        view = batch.views[0]
        scores, inside = self.task.scores(self.arms["semisupervised"], view), self.task.inside(view)
        return Unlabelled(mean_inside(entropy(scores), inside), inside.new_ones(len(batch)).float())


@register(
    "entropy_minimisation",
    family="networks",
    dims=(2, 3),
    paper="Grandvalet & Bengio, Semi-supervised learning by entropy minimization, NeurIPS 2004",
    limit="Where classes overlap it draws the border where no items are, be it right or not.",
)
class EntropyMinimisation(FewLabels):
    """The network becomes sure of unlabelled items, so its border runs where there are few of them.

    Parameters
    ----------
    config : EntropyMinimisationConfig
        Parameters of the method, listed by `help(EntropyMinimisation.Config)`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan; voxels are not for this method.

    Attributes
    ----------
    learner_ : EntropyMinimisationLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept: the method's, or that of the labelled scans alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.nn import make_encoder
    >>> from medunsup.semisupervised import EntropyMinimisation, Scans
    >>> images = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> labels = np.array([0, 1, -1, -1, -1, -1, -1, -1])
    >>> scans = Scans(images, np.ones((8, 16, 16, 1), bool), labels=labels)
    >>> config = EntropyMinimisation.Config(steps=2, batch_size=4, encoder_share=1.0)
    >>> method = EntropyMinimisation(config, make_encoder("cnn", dims=2, channels=1), classes=2).fit(scans)
    >>> method.probabilities(scans).shape
    (8, 2)
    """

    Config = EntropyMinimisationConfig
    Learner = EntropyMinimisationLearner
    learner_: EntropyMinimisationLearner
