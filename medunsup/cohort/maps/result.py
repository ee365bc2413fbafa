"""What a reduction of a table gave: places of its rows, and how far they can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.shown import Shown

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MapFigures:
    """How well a map keeps neighbours.

    Attributes
    ----------
    trustworthiness : float
        Whether neighbours on the map are neighbours in the features, in [0, 1].
    continuity : float
        Whether neighbours in the features are neighbours on the map, in [0, 1].
    neighbours : int
        How many of them were looked at.
    explained : tuple of float
        Share of the variance that each axis holds; empty where none is known.
    """

    trustworthiness: float
    continuity: float
    neighbours: int
    explained: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class ReductionResult(Shown):
    """Places of the rows of a table on few axes.

    Attributes
    ----------
    method : str
        Name of the method.
    places : ndarray of shape (N, q)
        Places of the rows, in the order of the table.
    keys : dict of str to sequence of str
        Whose rows they are: scan, subject, session, or some of them.
    figures : MapFigures or None
        How well the map keeps neighbours; None where rows were placed on a map that was there.
    pca : ndarray of shape (N, 2) or (N, 1), or None
        Places of the same rows on principal components, to look at beside.
    pca_figures : MapFigures or None
        How well those keep neighbours.
    modes : ndarray of shape (q, 2, D) or None
        By `pca`: the rows two standard deviations below and above the mean along each axis.
    loadings : ndarray of shape (q, D) or None
        By `pca`: correlation of each feature with each axis, in [-1, 1].
    names : tuple of str
        Names of the D features.
    background : ndarray of shape (M, q) or None
        Places of the fitted rows, where new ones were placed among them.
    typicality : ndarray of shape (N,) or None
        Of new rows: share of the fitted rows whose nearest other row is at least as far, in (0, 1].
    colour : tuple of str, and sequence of str
        Name of the covariate that the picture is coloured by, and its cells; empty if none is.
    remarks : tuple of str
        What should be known, in words.
    about : dict
        How the map was made, as plain values.
    path : Path or None
        Folder that holds it.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(30, 4))
    >>> table = medunsup.FeatureTable(rows, ["a", "b", "c", "d"])
    >>> medunsup.reduce(table, method="pca").places.shape
    (30, 2)
    """

    method: str
    places: Floats
    keys: Mapping[str, Sequence[str]]
    figures: MapFigures | None = None
    pca: Floats | None = None
    pca_figures: MapFigures | None = None
    modes: Floats | None = None
    loadings: Floats | None = None
    names: tuple[str, ...] = ()
    background: Floats | None = None
    typicality: Floats | None = None
    colour: tuple[str, Sequence[str]] = ("", ())
    remarks: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes: "umap_1", "umap_2"."""
        return tuple(f"{self.method}_{n}" for n in range(1, self.places.shape[1] + 1))

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
        >>> rows = np.random.default_rng(0).normal(size=(30, 4))
        >>> medunsup.reduce(medunsup.FeatureTable(rows, list("abcd")), method="pca").label(2)
        'row 3'
        """
        words = [self.keys[key][row] for key in ("subject", "session") if key in self.keys]
        words = [word for word in words if word] or [self.keys["scan"][row] if "scan" in self.keys else ""]
        return " ".join(words) or f"row {row + 1}"

    def as_record(self) -> dict[str, Any]:
        """Return the figures and what is known of the map, as plain values by name.

        Returns
        -------
        dict
            Method, rows, figures of the map and of principal components, remarks.

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).normal(size=(30, 4))
        >>> found = medunsup.reduce(medunsup.FeatureTable(rows, list("abcd")), method="pca")
        >>> found.as_record()["map"]["neighbours"]
        14
        """
        return {
            "method": self.method,
            "rows": len(self.places),
            "map": None if self.figures is None else vars(self.figures),
            "pca": None if self.pca_figures is None else vars(self.pca_figures),
            "remarks": list(self.remarks),
            **self.about,
        }
