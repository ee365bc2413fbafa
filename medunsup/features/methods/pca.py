"""Principal components of registered scans."""

from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError
from medunsup.core.registry import register
from medunsup.features.base import Feature, FeatureInput, Floats

MODES = 10  # components whose modes of variation are shown
DEVIATIONS = 2.0


class PCAConfig(Config):
    """Parameters of the components."""

    n_components: int = Field(
        10, ge=1, le=500, description="number of components, at most one fewer than scans"
    )


@register(
    "pca",
    family="registered scan",
    dims=(2, 3),
    paper="Turk & Pentland (1991), Eigenfaces for recognition. J Cogn Neurosci 3(1).",
    limit="Numbers are relative to the cohort that was fitted, whose scans are held in memory together.",
)
class RegisteredPCA(Feature):
    """Where a registered scan lies on the directions in which the cohort differs most, voxel by voxel.

    Voxels count that lie in the brain of half of the scans at least.

    Parameters
    ----------
    config : PCAConfig, optional
        Number of components.

    Attributes
    ----------
    mean_ : ndarray of shape (V,)
        Mean of the V voxels.
    components_ : ndarray of shape (M, V)
        Directions, of length 1; the voxel that counts most is positive.
    explained_ : ndarray of shape (M,)
        Share of the variance of each.
    deviations_ : ndarray of shape (M,)
        Standard deviation of the cohort along each.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.features import FeatureInput, RegisteredPCA
    >>> draw = np.random.default_rng(0)
    >>> scans = [FeatureInput(draw.random((1, 4, 4, 4)), np.ones((4, 4, 4), bool)) for _ in range(5)]
    >>> RegisteredPCA(RegisteredPCA.Config(n_components=2)).fit(scans).transform(scans[0]).shape
    (2,)
    """

    Config = PCAConfig
    needs_fit = True
    mean_: Floats
    components_: Floats
    explained_: Floats
    deviations_: Floats

    def fit(self, scans: Iterable[FeatureInput]) -> Self:
        """Find the components of a cohort.

        Parameters
        ----------
        scans : iterable of FeatureInput
            Two scans or more on one grid.

        Returns
        -------
        RegisteredPCA
            This method, fitted.

        Raises
        ------
        ArrayError
            If there are fewer than two scans, on several grids, or all the same.
        """
        values, masks = [], []
        for scan in scans:
            values.append(np.asarray(scan.values, dtype=np.float32))
            masks.append(scan.mask)
        if len(values) < 2 or len({one.shape for one in values}) > 1:
            raise ArrayError(f"pca is fitted on two scans or more on one grid, not on {len(values)}.")
        self._inside: NDArray[np.bool_] = np.mean(masks, axis=0) >= 0.5
        rows = np.stack([one[:, self._inside].ravel() for one in values]).astype(np.float64)
        self.mean_ = rows.mean(axis=0)
        rows -= self.mean_
        variances, vectors = np.linalg.eigh(rows @ rows.T)  # scans are fewer than voxels
        order = np.argsort(variances)[::-1][: min(self.config.n_components, len(rows) - 1)]
        total = max(variances.sum(), 0.0)
        kept = order[variances[order] > 1e-10 * total] if total > 0 else order[:0]
        if not len(kept):
            raise ArrayError("pca: all scans are the same. Give scans that differ.")
        directions = vectors[:, kept].T @ rows / np.sqrt(variances[kept])[:, None]
        most = np.abs(directions).argmax(axis=1)
        self.components_ = directions * np.sign(directions[np.arange(len(kept)), most])[:, None]
        self.explained_ = variances[kept] / total
        self.deviations_ = np.sqrt(variances[kept] / (len(rows) - 1))
        return self

    def describe(self) -> dict[str, str]:
        """Return the name of each number and how it is made."""
        return {
            f"{n:03d}": f"principal component {n} of the registered scans, {share:.1%} of their variance"
            for n, share in enumerate(self.explained_, start=1)
        }

    def images(self) -> Iterator[tuple[str, Floats]]:
        """Yield the mean scan, the components as images, and modes of variation, 0 outside the brain.

        A mode is the mean scan two standard deviations below and above along one of the first 10 components.

        Yields
        ------
        tuple of str and ndarray of shape (I, J, K)
            "mean", "component-001" (an eigen-image, of length 1), "mode-001_low", "mode-001_high"; of several
            channels the first.
        """
        yield "mean", self._image(self.mean_)
        for n, component in enumerate(self.components_, start=1):
            yield f"component-{n:03d}", self._image(component)
        for n in range(min(MODES, len(self.components_))):
            step = DEVIATIONS * self.deviations_[n] * self.components_[n]
            yield f"mode-{n + 1:03d}_low", self._image(self.mean_ - step)
            yield f"mode-{n + 1:03d}_high", self._image(self.mean_ + step)

    def _image(self, row: Floats) -> Floats:
        image = np.zeros(self._inside.shape)
        image[self._inside] = row[: int(self._inside.sum())]
        return image

    def _values(self, scan: FeatureInput) -> ArrayLike:
        if not hasattr(self, "components_"):
            raise ArrayError("pca is not fitted yet. Call fit with a cohort first.")
        if scan.mask.shape != self._inside.shape:
            raise ArrayError(f"pca was fitted on the grid {self._inside.shape}, not {scan.mask.shape}.")
        row = np.asarray(scan.values, dtype=np.float64)[:, self._inside].ravel()
        return self.components_ @ (row - self.mean_)
