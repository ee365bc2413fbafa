"""FixMatch: a sure answer to a weak view is the label of a strong view."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.semisupervised.base import FewLabels, FewLabelsConfig
from medunsup.semisupervised.learner import FewLabelsLearner, Unlabelled, mean_inside
from medunsup.semisupervised.losses.pseudo_label import pseudo_label
from medunsup.training.learner import Batch


class FixMatchConfig(FewLabelsConfig):
    """Parameters of FixMatch."""

    threshold: float = Field(
        0.95, ge=0, le=1, description="probability above which the answer to the weak view is believed"
    )


class FixMatchLearner(FewLabelsLearner):
    """One network, taught by its sure answers to weaker views."""

    def changes(self) -> list[Augmentations]:
        """Make a weak view and a strong one."""
        return [self.config.weak, self.config.strong]

    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Cross-entropy of the strong view against the class of the weak one, where that is sure."""
        weak, strong = batch.views
        network, inside = self.arms["semisupervised"], self.task.inside(weak)
        with torch.no_grad():
            said = self.task.scores(network, weak)
        loss, used = pseudo_label(said, self.task.scores(network, strong), self.config.threshold)
        return Unlabelled(mean_inside(loss, inside), mean_inside(used.float(), inside))


@register(
    "fixmatch",
    family="networks",
    dims=(2, 3),
    paper="Sohn et al., FixMatch: simplifying semi-supervised learning with consistency and confidence, "
    "NeurIPS 2020, arXiv:2001.07685",
    limit="Until answers pass the threshold nothing is learned from unlabelled items, and a strong view may "
    "hide what makes the class.",
)
class FixMatch(FewLabels):
    """The sure class of a weakly changed item is asked of the same item, strongly changed.

    Parameters
    ----------
    config : FixMatchConfig
        Parameters of the method, listed by `help(FixMatch.Config)`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan, or that of each voxel.

    Attributes
    ----------
    learner_ : FixMatchLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept: the method's, or that of the labelled scans alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.nn import make_encoder
    >>> from medunsup.semisupervised import FixMatch, Scans
    >>> images = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> labels = np.array([0, 1, -1, -1, -1, -1, -1, -1])
    >>> scans = Scans(images, np.ones((8, 16, 16, 1), bool), labels=labels)
    >>> config = FixMatch.Config(steps=2, batch_size=4, encoder_share=1.0)
    >>> method = FixMatch(config, make_encoder("cnn", dims=2, channels=1), classes=2).fit(scans)
    >>> method.probabilities(scans).shape
    (8, 2)
    """

    Config = FixMatchConfig
    Learner = FixMatchLearner
    tasks = ("classify", "segment")
    learner_: FixMatchLearner
