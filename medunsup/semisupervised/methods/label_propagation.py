"""Label propagation: given labels stay, each other row takes the mean of its neighbours'."""

from typing import Any

from medunsup.core.registry import register
from medunsup.semisupervised.propagation import PropagationClassifier, PropagationConfig


class LabelPropagationConfig(PropagationConfig):
    """Parameters of label propagation."""


@register(
    "label_propagation",
    family="features",
    dims=(2, 3),
    paper="Zhu & Ghahramani, Learning from labeled and unlabeled data with label propagation, "
    "CMU-CALD-02-107, 2002",
    limit="Given labels stay as they are, so a wrong one spoils its neighbourhood.",
)
class LabelPropagation(PropagationClassifier):
    """Labels flow along the graph until they settle; given ones stay (scikit-learn's, width from the data).

    Parameters
    ----------
    config : LabelPropagationConfig, optional
        Parameters of the method, listed by `help(LabelPropagation.Config)`; the defaults if not given.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes, sorted.
    coverage_ : float
        Share of the unlabelled rows that a label has reached.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> from medunsup.semisupervised import LabelPropagation
    >>> features, labels = [[0.0], [0.1], [0.9], [1.0]], [0, -1, -1, 1]
    >>> method = LabelPropagation(LabelPropagation.Config(neighbours=2)).fit(features, labels)
    >>> method.predict([[0.2], [0.8]])
    array([0, 1])
    """

    Config = LabelPropagationConfig

    def _model_of(self, **kernel: Any) -> Any:
        from sklearn.semi_supervised import LabelPropagation as Propagation

        return Propagation(**kernel)
