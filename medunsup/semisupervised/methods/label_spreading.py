"""Label spreading: labels flow along a normalised graph, and given ones may be overruled."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.semisupervised.propagation import PropagationClassifier, PropagationConfig


class LabelSpreadingConfig(PropagationConfig):
    """Parameters of label spreading."""

    alpha: float = Field(
        0.9, gt=0, lt=1, description="share of a row's label that its neighbours decide in each pass"
    )


@register(
    "label_spreading",
    family="features",
    dims=(2, 3),
    paper="Zhou et al., Learning with local and global consistency, NeurIPS 2003",
    limit="Where classes touch, labels flow over the border.",
)
class LabelSpreading(PropagationClassifier):
    """Labels spread along the normalised graph, so that a wrong one can be overruled (scikit-learn's).

    Parameters
    ----------
    config : LabelSpreadingConfig, optional
        Parameters of the method, listed by `help(LabelSpreading.Config)`; the defaults if not given.

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
    >>> from medunsup.semisupervised import LabelSpreading
    >>> features, labels = [[0.0], [0.1], [0.9], [1.0]], [0, -1, -1, 1]
    >>> method = LabelSpreading(LabelSpreading.Config(neighbours=2)).fit(features, labels)
    >>> method.predict([[0.2], [0.8]])
    array([0, 1])
    """

    Config = LabelSpreadingConfig

    def _model_of(self, **kernel: Any) -> Any:
        from sklearn.semi_supervised import LabelSpreading as Spreading

        return Spreading(alpha=self.config.alpha, **kernel)
