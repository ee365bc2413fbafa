"""How usual rows are in their clusters, of every clustering method."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from medunsup.clustering.neighbours import conformal, mean_distance
from medunsup.clustering.subjects import subjects_of
from medunsup.clustering.typical import Calibration
from medunsup.core.errors import UsageError

NOISE = -1

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Typicality:
    """What compares rows with the fitted ones of their cluster, and counts each subject once."""

    labels_: Labels
    n_clusters_: int
    _rows: Floats
    _row_labels: Labels
    _order: Labels
    _subjects: Labels | None

    if TYPE_CHECKING:

        def _shares(self, rows: Floats) -> Floats: ...

        def _rows_of(self, X: ArrayLike, *, reset: bool = False) -> Floats: ...

    def of_subjects(self, groups: Sequence[Hashable] | None) -> Self:
        """Say whose rows were fitted, so that `typicality` counts each subject once.

        Rows of one subject are then no neighbours of one another, and a row of a subject with m rows in a
        cluster counts 1/m there. Clusters stay what they are.

        Parameters
        ----------
        groups : sequence of N names, or None
            Subject of each row in the order of the fit, "" where it is not known; None if each row is one.

        Returns
        -------
        Clustering
            This method.

        Raises
        ------
        ArrayError
            If there is not one name for each row.

        Examples
        --------
        >>> from medunsup.clustering import KMeans
        >>> method = KMeans(n_clusters=1).fit([[0.0], [0.0], [1.0], [1.0], [3.0], [3.0]])
        >>> method.of_subjects(["a", "a", "b", "b", "c", "c"]).typicality().round(2).tolist()
        [0.67, 0.67, 1.0, 1.0, 0.33, 0.33]
        """
        check_is_fitted(self, "labels_")
        subjects = subjects_of(groups, len(self._rows))
        self._subjects = None if subjects is None else subjects[self._order]
        return self

    def typicality(self, X: ArrayLike | None = None) -> Floats:
        """Return how usual rows are in their cluster: a conformal p-value, small for what is unlike it.

        It compares the mean distance to the 5 nearest fitted rows of the cluster with that of its fitted
        rows, each without itself (Laxhammar and Falkman 2010). Rows that the clusters were fitted on
        must not be given: without `X` they are compared without themselves. Where a subject has several
        rows, name the subjects by `of_subjects` first.

        Parameters
        ----------
        X : array-like of shape (M, D), optional
            Features of new rows; those of the fit if not given.

        Returns
        -------
        ndarray of shape (M,)
            Values in (0, 1], evenly spread for new rows like the fitted ones; 1 in a cluster of one row.

        Raises
        ------
        ArrayError
            If a feature is not finite, or no cluster was found.
        UsageError
            If no rows are given to a method that was fitted on a stream.
        """
        check_is_fitted(self, "labels_")
        if X is None and len(self._rows) < len(self.labels_):
            raise UsageError("Not all rows of a stream are kept. Give the rows that are asked about.")
        if X is None:
            return self._typicality_of_kept()
        return self._typicality_of_new(self._rows_of(X))

    def _typicality_of_new(self, rows: Floats, subjects: Labels | None = None) -> Floats:
        """Return how usual rows (M, D) are in their nearest cluster; `subjects` (M,) if these were fitted."""
        nearest = self._shares(rows).argmax(axis=1)
        found = np.empty(len(rows))
        for cluster in range(self.n_clusters_):
            held = self._rows[self._row_labels == cluster]
            here = nearest == cluster
            if here.any() and self._subjects is not None:
                known = Calibration(held, self._subjects[self._row_labels == cluster])
                found[here] = known.of_new(rows[here], None if subjects is None else subjects[here])
            elif here.any():
                own = mean_distance(held, held, without_itself=True)
                found[here] = conformal(mean_distance(rows[here], held), own)
        return found

    def _typicality_of_kept(self) -> Floats:
        """Return how usual the rows that were kept are, each beside the others, in the order given."""
        found = np.empty(len(self._rows))
        for cluster in range(self.n_clusters_):
            here = self._row_labels == cluster
            if self._subjects is not None:
                found[here] = Calibration(self._rows[here], self._subjects[here]).of_fitted()
                continue
            own = mean_distance(self._rows[here], self._rows[here], without_itself=True)
            found[here] = (len(own) - np.searchsorted(np.sort(own), own)) / max(1, len(own))
        noise = self._row_labels == NOISE
        if noise.any():
            whose = None if self._subjects is None else self._subjects[noise]
            found[noise] = self._typicality_of_new(self._rows[noise], whose)
        as_given = np.empty_like(found)
        as_given[self._order] = found
        return as_given
