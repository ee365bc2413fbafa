"""Methods on features as networks: a frozen encoder, and a linear layer that learns what the method says."""

from copy import deepcopy
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from medunsup.core.errors import InputError
from medunsup.nn.classifier import ClassificationNetwork
from medunsup.nn.encoder import Encoder
from medunsup.semisupervised.base import Choice, choose
from medunsup.semisupervised.features import FLOOR, UNLABELLED, FeatureClassifier, Floats
from medunsup.semisupervised.learner import Arm
from medunsup.supervised.classification import Classification
from medunsup.training.loop import Training
from medunsup.training.scan_stack import Scans

PENALTY = 0.1  # C of the logistic regression, as `self_training` has it


class OnEncoder:
    """A method on the features of a frozen encoder, beside the labels alone; both linear layers in the end.

    The method gives each unlabelled item probabilities of the classes, a logistic regression learns from
    these and the labels, and its coefficients are the layer behind the encoder: a network as any other. The
    other arm is the same regression on the labelled items alone. Nothing is drawn at random.

    Parameters
    ----------
    method : FeatureClassifier
        What labels the unlabelled items.
    pretrained : Encoder
        Where features come from; it stays as it is.
    classes : int
        Number of classes, 0 to classes - 1.

    Attributes
    ----------
    learner_ : Module
        Both networks.
    choice_ : Choice
        Which one is kept.
    coverage_ : float
        Share of the unlabelled items that the method has reached.
    pseudo_accuracy_ : float or None
        Share of the validation scans that it gives the right class; None without any.
    """

    task = "classify"

    def __init__(self, method: FeatureClassifier, pretrained: Encoder, *, classes: int) -> None:
        self.method, self.pretrained, self.classes = method, pretrained, classes
        config = Classification.Config(dims=pretrained.dims)
        self._plain = Classification(config, pretrained, classes=classes, arms=())

    @property
    def method_name(self) -> str:
        """Name of the method."""
        return self.method.method_name

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Learn from labelled and unlabelled scans; `training` plays no part.

        Raises InputError if a class has no labelled scan.
        """
        labels = scans.labels
        assert labels is not None  # the scans were checked
        missing = sorted(set(range(self.classes)) - set(labels.tolist()))
        if missing:
            raise InputError(
                f"No labelled scan shows class {', '.join(map(str, missing))}: label one, or leave the class "
                "out."
            )
        rows, known = self._plain.features(self.pretrained, scans), labels != UNLABELLED
        said = self.method.fit(rows, labels).probabilities(rows)
        said[known] = np.eye(self.classes)[labels[known]]
        alone = linear_layer(rows, np.where(known[:, None], said, 0.0))
        self.learner_ = _Networks(self.pretrained, linear_layer(rows, said), alone)
        self._plain.learner_ = self.learner_  # type: ignore[assignment]
        self.coverage_, self.pseudo_accuracy_ = self.method.coverage_, None
        if validation is not None:
            told = self.method.predict(self._plain.features(self.pretrained, validation))
            self.pseudo_accuracy_ = float(np.mean(told == validation.labels))
        self.choice_: Choice = choose(self, validation)
        return self

    def probabilities(self, scans: Scans, *, arm: Arm | None = None) -> NDArray[np.float64]:
        """Return the probability (N, classes) of each class for each scan, of one arm or the one kept."""
        return self._plain.probabilities(arm or self.choice_.kept, scans)  # type: ignore[arg-type]


def linear_layer(rows: Floats, said: Floats) -> nn.Linear:
    """Fit a logistic regression to features (N, D) and probabilities (N, K), rows of zeros not counting.

    Features are standardised by all rows for the fit; the layer takes them as they are.
    """
    from sklearn.linear_model import LogisticRegression

    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread = np.where(spread > FLOOR, spread, 1.0)
    items, classes = np.nonzero(said > FLOOR)
    model: Any = LogisticRegression(C=PENALTY, max_iter=1000)
    model.fit(((rows - mean) / spread)[items], classes, sample_weight=said[items, classes])
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:  # of two classes that of the second alone
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    layer = nn.Linear(rows.shape[1], len(weights))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights / spread))
        layer.bias.copy_(torch.from_numpy(bias - weights @ (mean / spread)))
    return layer


class _Networks(nn.Module):
    """Networks of one encoder, with a layer each."""

    def __init__(self, encoder: Encoder, layer: nn.Linear, alone: nn.Linear) -> None:
        super().__init__()
        both = {"semisupervised": layer, "supervised": alone}
        self.arms = nn.ModuleDict({arm: _network(encoder, one) for arm, one in both.items()})

    def network(self, arm: Arm) -> nn.Module:
        """Return the network of an arm."""
        return self.arms[arm]


def _network(encoder: Encoder, layer: nn.Linear) -> ClassificationNetwork:
    network = ClassificationNetwork(deepcopy(encoder), layer.out_features)
    network.head = layer
    return network.eval()
