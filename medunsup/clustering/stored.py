"""Fitted methods as named arrays, so that a model is kept without pickle."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

State = dict[str, NDArray[Any]]

REMARKS = "remarks"  # as the bytes of a JSON list
SUBJECTS = "subjects"  # of the rows; only where some have several
OF_ALL = ("_rows", "_row_labels", "_columns", "_order", "labels_")


def part_of(state: Mapping[str, NDArray[Any]], prefix: str) -> State:
    """Return the arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


class Stored:
    """What keeps a fitted clustering method; `_learned` names its own attributes, arrays or numbers."""

    _learned: ClassVar[tuple[str, ...]] = ()
    remarks_: tuple[str, ...]
    _subjects: NDArray[np.int64] | None

    def state(self) -> State:
        """Return all that was learned as arrays by name.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows among them.
        """
        check_is_fitted(self, "labels_")
        found = {name.strip("_"): np.asarray(getattr(self, name)) for name in (*OF_ALL, *self._learned)}
        if self._subjects is not None:
            found[SUBJECTS] = self._subjects
        return found | {REMARKS: np.frombuffer(json.dumps(self.remarks_).encode(), np.uint8)}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave; the parameters must be those of the fit.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays by name.

        Returns
        -------
        Clustering
            This method, fitted.
        """
        for name in (*OF_ALL, *self._learned):
            array = np.asarray(state[name.strip("_")])
            setattr(self, name, array if array.ndim else array.item())
        self._subjects = np.asarray(state[SUBJECTS], np.int64) if SUBJECTS in state else None
        self.n_clusters_ = len(self._columns)  # type: ignore[attr-defined]
        self.n_features_in_ = int(self._rows.shape[1])  # type: ignore[attr-defined]
        self.remarks_ = tuple(json.loads(np.asarray(state[REMARKS], np.uint8).tobytes()))
        return self
