"""Pseudo-labels: the likeliest class of an unlabelled item is taken for its label."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.semisupervised.base import FewLabels, FewLabelsConfig
from medunsup.semisupervised.learner import FewLabelsLearner, Unlabelled, mean_inside
from medunsup.semisupervised.losses.pseudo_label import pseudo_label
from medunsup.training.learner import Batch


class PseudoLabelConfig(FewLabelsConfig):
    """Parameters of pseudo-labels."""

    threshold: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability above which an own answer is believed; 0 believes all (paper)",
    )


class PseudoLabelLearner(FewLabelsLearner):
    """One network, taught by its own answers."""

    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Cross-entropy against the own likeliest class."""
        view = batch.views[0]
        scores, inside = self.task.scores(self.arms["semisupervised"], view), self.task.inside(view)
        loss, used = pseudo_label(scores, scores, self.config.threshold)
        return Unlabelled(mean_inside(loss, inside), mean_inside(used.float(), inside))


@register(
    "pseudo_label",
    family="networks",
    dims=(2, 3),
    paper="Lee, Pseudo-label: the simple and efficient semi-supervised learning method for deep neural "
    "networks, ICML workshop 2013",
    limit="It grows surer of whatever it believed at first, right or wrong.",
)
class PseudoLabel(FewLabels):
    """The network learns its own answers to unlabelled items, which come to count as the steps go by.

    Parameters
    ----------
    config : PseudoLabelConfig
        Parameters of the method, listed by `help(PseudoLabel.Config)`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan, or that of each voxel.

    Attributes
    ----------
    learner_ : PseudoLabelLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept: the method's, or that of the labelled scans alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.nn import make_encoder
    >>> from medunsup.semisupervised import PseudoLabel, Scans
    >>> images = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> labels = np.array([0, 1, -1, -1, -1, -1, -1, -1])
    >>> scans = Scans(images, np.ones((8, 16, 16, 1), bool), labels=labels)
    >>> config = PseudoLabel.Config(steps=2, batch_size=4, encoder_share=1.0)
    >>> method = PseudoLabel(config, make_encoder("cnn", dims=2, channels=1), classes=2).fit(scans)
    >>> method.probabilities(scans).shape
    (8, 2)
    """

    Config = PseudoLabelConfig
    Learner = PseudoLabelLearner
    tasks = ("classify", "segment")
    learner_: PseudoLabelLearner
