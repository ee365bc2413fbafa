"""What clustering a table or images gave: who is in which cluster, whether there are any, what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.choosing.choose import KChoice
from medunsup.cohort.clusters.parts import (
    Baseline,
    CovariateEffect,
    OneCluster,
    OverSeeds,
    SiteFinding,
    Stability,
)
from medunsup.core.shown import Shown

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class ClusterResult(Shown):
    """Clusters of the rows of a table, or of images.

    Attributes
    ----------
    method : str
        Name of the method.
    verdict : str
        Whether there are clusters and how many, in words; the first line of what is printed and of the page.
    labels : ndarray of shape (N,), int64
        Cluster of each row, from 0, the largest first; -1 for rows in none. All 0 if none were found.
    probabilities : ndarray of shape (N, K)
        Share of each cluster in each row; rows sum to 1.
    typicality : ndarray of shape (N,)
        How usual each row is in its cluster, in (0, 1]; small for what is unlike it. NaN for rows of a
        stream that were not kept.
    keys : dict of str to sequence of str
        Whose rows they are: scan, subject, session, or some of them.
    covariates : dict of str to sequence of str
        What else is known of each row.
    names : tuple of str
        Names of the D features; of images empty.
    choice : KChoice or None
        How the number of clusters was chosen, or what the rule says of the number that was given; None where
        rows are too few, or are new ones.
    stability : Stability or None
        Beside rows without clusters; None of new rows.
    figures : dict of str to OverSeeds
        Over seeds: 'silhouette', 'smallest' (share of rows in the smallest cluster), and with known classes
        'accuracy', 'nmi' and 'ari'.
    baselines : tuple of Baseline
        Other methods beside this one.
    clusters : tuple of OneCluster
        Each cluster, the largest first.
    effects : tuple of CovariateEffect
        Covariates of each cluster beside all other rows.
    site : SiteFinding or None
        What the site has to do with them; None where no column names one.
    maps : dict of str to ndarray of shape (N, 2)
        Places of the rows to draw: 'pca', and 'umap' where it is installed and rows are not too many.
    background : dict of str to ndarray of shape (M, 2)
        Of new rows: places of the fitted ones on the same map.
    background_labels : ndarray of shape (M,) or None
        Of new rows: clusters of the fitted ones.
    truth : tuple of str, and sequence of str
        Name and cells of the column of known classes, "" where none is known; empty if none was named.
    remarks : tuple of str
        What should be known, in words.
    about : dict
        How it was made, as plain values: 'asked', 'parameters', 'seed', 'seeds', 'components', 'harmonise',
        'covariates', 'features', ...
    path : Path or None
        Folder that holds it.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(60, 3))
    >>> table = medunsup.FeatureTable(rows, ["a", "b", "c"])
    >>> found = medunsup.cluster(table, method="kmeans", k=2, seeds=2, umap=False)
    >>> found.k, found.is_found
    (2, False)
    """

    method: str
    verdict: str
    labels: Labels
    probabilities: Floats
    typicality: Floats
    keys: Mapping[str, Sequence[str]]
    covariates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    choice: KChoice | None = None
    stability: Stability | None = None
    figures: Mapping[str, OverSeeds] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()
    clusters: tuple[OneCluster, ...] = ()
    effects: tuple[CovariateEffect, ...] = ()
    site: SiteFinding | None = None
    maps: Mapping[str, Floats] = field(default_factory=dict)
    background: Mapping[str, Floats] = field(default_factory=dict)
    background_labels: Labels | None = None
    truth: tuple[str, Sequence[str]] = ("", ())
    remarks: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @property
    def k(self) -> int:
        """Number of clusters; 1 if none were found."""
        return self.probabilities.shape[1]

    @property
    def is_found(self) -> bool:
        """Whether rows fall into clusters by the rule that chooses their number."""
        return self.choice is not None and self.choice.k > 1

    def label(self, row: int) -> str:
        """Name a row for a picture.

        Parameters
        ----------
        row : int
            Which, from 0.

        Returns
        -------
        str
            Subject and session, or the scan, or "row 1".

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).normal(size=(60, 3))
        >>> table = medunsup.FeatureTable(rows, ["a", "b", "c"])
        >>> medunsup.cluster(table, method="kmeans", k=2, seeds=1, umap=False).label(2)
        'row 3'
        """
        words = [self.keys[key][row] for key in ("subject", "session") if key in self.keys]
        words = [word for word in words if word] or [self.keys["scan"][row] if "scan" in self.keys else ""]
        return " ".join(words) or f"row {row + 1}"
