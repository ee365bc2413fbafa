"""What a probe found: how features of a pretrained encoder do beside those of its baselines."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medunsup.core.shown import Shown
from medunsup.metrics.bootstrap import Estimate

Features = Literal["encoder", "random", "pca"]
Kind = Literal["linear", "knn"]
Said = Literal["better", "no difference seen", "worse"]


@dataclass(frozen=True)
class ProbeFigures:
    """Figures of one kind of features, at one share of the labels, by one probe.

    Attributes
    ----------
    features : {'encoder', 'random', 'pca'}
        The pretrained encoder, the same network with random weights, or principal components of the voxels.
    probe : {'linear', 'knn'}
        Logistic regression, or a vote of the nearest neighbours.
    fraction : float
        Share of the training subjects whose labels were given.
    n_labels : int
        How many scans or images these are.
    auc, balanced_accuracy, setting : tuple of float
        On the test split, one for each draw of the labels; C of the linear probe, or k.
    """

    features: Features
    probe: Kind
    fraction: float
    n_labels: int
    auc: tuple[float, ...]
    balanced_accuracy: tuple[float, ...]
    setting: tuple[float, ...]

    @property
    def mean_auc(self) -> float:
        """Mean AUC over draws."""
        return float(np.mean(self.auc))


@dataclass(frozen=True)
class ProbeVerdict:
    """Whether the encoder's linear probe does better than the better baseline's, at one share of the labels.

    Attributes
    ----------
    fraction : float
        Share of the labels.
    n_labels : int
        How many scans or images these are.
    baseline : {'random', 'pca'}
        The baseline with the higher AUC on the test split.
    difference : Estimate
        AUC of the encoder less the baseline's, with its interval over test subjects.
    said : {'better', 'no difference seen', 'worse'}
        What the interval allows to say.
    needed : float
        About how many test subjects would show a difference of this size; infinity if there is none.
    """

    fraction: float
    n_labels: int
    baseline: Features
    difference: Estimate
    said: Said
    needed: float


@dataclass(frozen=True, eq=False, repr=False)
class ProbeResult(Shown):
    """What `probe` returns: whether a pretrained encoder is worth its pretraining.

    Attributes
    ----------
    verdicts : tuple of ProbeVerdict
        One for each share of the labels.
    figures : tuple of ProbeFigures
        One for each kind of features, share and probe.
    classes : tuple of str
        The labels told apart.
    counts : dict of str to int
        Subjects of the training and the test split.
    about : dict
        Encoder, data and choices.
    remarks : tuple of str
        What is to be known beside the figures.
    picture : ndarray of shape (N, 2)
        First two principal components of the encoder's features of the test split.
    test_classes : ndarray of shape (N,)
        The class of each of them.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.probe("runs/encoder", "labelled.npz", "probe/three", fractions=(1.0,))
    >>> found.verdicts[0].said in ("better", "no difference seen", "worse")
    True
    """

    verdicts: tuple[ProbeVerdict, ...]
    figures: tuple[ProbeFigures, ...]
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    about: Mapping[str, Any]
    remarks: tuple[str, ...] = ()
    picture: NDArray[np.float64] = field(repr=False, default_factory=lambda: np.zeros((0, 2)))
    test_classes: NDArray[np.intp] = field(repr=False, default_factory=lambda: np.zeros(0, np.intp))

    def figures_of(self, features: Features, probe: Kind) -> list[ProbeFigures]:
        """Figures of one kind of features by one probe, a share of the labels each.

        Parameters
        ----------
        features : {'encoder', 'random', 'pca'}
            Whose.
        probe : {'linear', 'knn'}
            By which probe.

        Returns
        -------
        list of ProbeFigures
            In the order of the shares.

        Examples
        --------
        >>> import medunsup
        >>> found = medunsup.probe("runs/encoder", "labelled.npz", "probe/one", fractions=(1.0,))
        >>> len(found.figures_of("pca", "linear"))
        1
        """
        return [one for one in self.figures if (one.features, one.probe) == (features, probe)]

    def as_record(self) -> dict[str, Any]:
        """Plain values as JSON holds them.

        Returns
        -------
        dict
            Verdicts first, then all figures.

        Examples
        --------
        >>> import medunsup
        >>> found = medunsup.probe("runs/encoder", "labelled.npz", "probe/two", fractions=(1.0,))
        >>> found.as_record()["classes"]
        ['0', '1']
        """
        return {
            "verdicts": [asdict(one) for one in self.verdicts],
            "figures": [asdict(one) for one in self.figures],
            "classes": list(self.classes),
            "subjects": dict(self.counts),
            "about": dict(self.about),
            "remarks": list(self.remarks),
        }
