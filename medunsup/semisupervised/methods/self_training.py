"""Self-training: a classifier labels what it is sure of, and learns from that too."""

import warnings

import numpy as np
from pydantic import Field

from medunsup.core.registry import register
from medunsup.semisupervised.features import UNLABELLED, FeatureClassifier, FeatureConfig, Floats, Labels


class SelfTrainingConfig(FeatureConfig):
    """Parameters of self-training."""

    threshold: float = Field(
        0.75, gt=0, lt=1, description="probability above which a row's own label is believed"
    )
    penalty: float = Field(
        0.1, gt=0, description="C of the logistic regression: the larger, the weaker its penalty"
    )
    rounds: int = Field(10, ge=1, description="most rounds of labelling and learning")


@register(
    "self_training",
    family="features",
    dims=(2, 3),
    paper="Yarowsky, Unsupervised word sense disambiguation rivaling supervised methods, ACL 1995",
    limit="What it labels wrongly in the first round it believes in all others.",
)
class SelfTraining(FeatureClassifier):
    """Logistic regression that learns from its own sure answers, round by round (scikit-learn's).

    `coverage_` is the share of unlabelled rows that got a label.

    Parameters
    ----------
    config : SelfTrainingConfig, optional
        Parameters of the method, listed by `help(SelfTraining.Config)`; the defaults if not given.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes, sorted.
    coverage_ : float
        Share of the unlabelled rows that got a label.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> from medunsup.semisupervised import SelfTraining
    >>> method = SelfTraining().fit([[0.0], [0.1], [0.9], [1.0]], [0, -1, -1, 1])
    >>> method.predict([[0.2], [0.8]])
    array([0, 1])
    """

    Config = SelfTrainingConfig

    def _fit(self, rows: Floats, targets: Labels) -> float:
        from sklearn.linear_model import LogisticRegression
        from sklearn.semi_supervised import SelfTrainingClassifier

        config, unknown = self.config, targets == UNLABELLED
        base = LogisticRegression(C=config.penalty, max_iter=300)
        model = SelfTrainingClassifier(base, threshold=config.threshold, max_iter=config.rounds)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="y contains no unlabeled samples")
            self._model = model.fit(rows, targets)
        return float(np.mean(model.transduction_[unknown] != UNLABELLED)) if unknown.any() else 1.0

    def _probabilities(self, rows: Floats) -> Floats:
        return self._model.predict_proba(rows)
