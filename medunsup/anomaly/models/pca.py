"""Principal components of whole scans: eigen-images and modes of variation."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, starmap
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.base import AnomalyModel, State, check_mask
from medunsup.anomaly.voxelwise import FEWEST_SCANS
from medunsup.core.config import Config
from medunsup.core.errors import InputError
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask, Scans

Matrix = NDArray[np.float32]

MOST_MODES, SCANS_A_MODE = 16, 3


class PCAConfig(Config):
    """Parameters of the principal components."""

    n_components: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="eigen-images kept; None takes a third of the number of scans, at most 16",
    )
    batch_size: int = Field(
        32, ge=2, description="scans held in memory at once; all of them make the result exact"
    )
    spread: float = Field(
        0.25,
        gt=0,
        le=2,
        description="standard deviation of the coefficients that `sample` draws, in sd of each mode",
    )


@register(
    "pca",
    family="linear",
    dims=(2, 3),
    paper="Turk and Pentland (1991), Eigenfaces for recognition. Journal of Cognitive Neuroscience; "
    "Ross et al. (2008), Incremental learning for robust visual tracking. IJCV.",
    limit="Linear, and few scans span few modes: a healthy fold none of them shows is left over like a "
    "lesion.",
)
class PCA(AnomalyModel):
    """Incremental principal component analysis over all voxels of the masks.

    A voxel outside a scan's own mask counts as average there. Offers `reconstruct`, `sample` and `encode`.

    Parameters
    ----------
    config : PCAConfig, optional
        Parameters of the method, listed by `help(PCA.Config)`; the defaults if not given.

    Attributes
    ----------
    mean_ : ndarray of shape (C, I, J, K)
        Mean of each voxel over the scans whose mask holds it.
    seen_ : ndarray of shape (I, J, K), bool
        Voxels that any scan covers.
    components_ : ndarray of shape (D, V)
        Orthonormal modes of variation, over the V values of all channels at the voxels `seen_`.
    variance_ : ndarray of shape (D,)
        Variance of the coefficients of each mode over the healthy scans.
    explained_variance_ratio_ : ndarray of shape (D,)
        Share of all variance that each mode explains.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> detector = medunsup.Detector(model="pca", model_params={"n_components": 3}).fit(healthy)
    >>> detector.model_.components_.shape
    (3, 256)
    >>> detector.model_.mode_of_variation(0).shape
    (3, 1, 16, 16, 1)
    """

    Config = PCAConfig
    config: PCAConfig
    mean_: Array
    seen_: Mask
    components_: Matrix
    variance_: NDArray[np.float32]
    explained_variance_ratio_: NDArray[np.float32]

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Any = None) -> Self:
        """Learn from batches of scans; validation and training are not used.

        Raises
        ------
        InputError
            If there is a single scan.
        """
        from sklearn.decomposition import IncrementalPCA

        if len(scans) < FEWEST_SCANS:
            raise InputError(
                f"pca: {len(scans)} scan has no modes of variation; give at least {FEWEST_SCANS}."
            )
        self.mean_, self.seen_ = _masked_mean(scans)
        # With nearly as many modes as scans, or as values, nothing would be left over of those learned from.
        wanted = self.config.n_components or min(MOST_MODES, max(1, len(scans) // SCANS_A_MODE))
        n_components = min(wanted, len(scans) - 1, max(1, scans.values[0].size - 1))
        model = IncrementalPCA(n_components)
        for batch in _batches(len(scans), self.config.batch_size, n_components):
            rows = [self._centred(scans.values[n], scans.masks[n]) for n in batch]
            model.partial_fit(np.stack(rows).astype(np.float64))
        # In the order in which they are stored: products of another order round otherwise.
        self.components_ = np.ascontiguousarray(model.components_, dtype=np.float32)
        self.variance_ = model.explained_variance_.astype(np.float32)
        self.explained_variance_ratio_ = model.explained_variance_ratio_.astype(np.float32)
        return self

    def encode(self, values: Array, mask: Mask) -> Array:
        """Return the coefficients of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (1, D), float32
            Each in sd of its mode over the healthy scans.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self._project(values, mask)[None] / self._sd

    def reconstruct(self, values: Array, mask: Mask) -> Array:
        """Return the pseudo-healthy reconstruction of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (C, I, J, K), float32
            Projection on the modes; the scan itself where no scan was ever seen, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self._draw(self._project(values, mask), values, mask)

    def sample(self, values: Array, mask: Mask, *, n: int, seed: int) -> Array:
        """Return several pseudo-healthy reconstructions of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.
        n : int
            Number of draws.
        seed : int, 0 or more
            Seed of the draws.

        Returns
        -------
        ndarray of shape (n, C, I, J, K), float32
            Coefficients drawn around the scan's own, `spread` sd wide, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        steps = np.random.default_rng(seed).normal(0, self.config.spread, (n, len(self.components_)))
        coefficients = self._project(values, mask) + (steps * self._sd).astype(np.float32)
        return np.stack([self._draw(row, values, mask) for row in coefficients])

    @property
    def eigen_images(self) -> Array:
        """Components on the template grid, (D, C, I, J, K)."""
        return np.stack([self._on_grid(row) for row in self.components_])

    def mode_of_variation(self, mode: int, at_sd: Sequence[float] = (-2.0, 0.0, 2.0)) -> Array:
        """Return the mean scan moved along one mode.

        Parameters
        ----------
        mode : int
            Number of the mode, from 0, the largest first.
        at_sd : sequence of float, default (-2.0, 0.0, 2.0)
            How far, in sd of the mode.

        Returns
        -------
        ndarray of shape (len(at_sd), C, I, J, K), float32
            One scan for each of these.
        """
        step = self._on_grid(self.components_[mode]) * self._sd[mode]
        return np.stack([self.mean_ + np.float32(amount) * step for amount in at_sd])

    def state(self) -> State:
        """Return mean, components and variances."""
        return {
            "mean": self.mean_,
            "seen": self.seen_,
            "components": self.components_,
            "variance": self.variance_,
            "explained_variance_ratio": self.explained_variance_ratio_,
        }

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Take over what `state` gave."""
        self.mean_, self.seen_ = state["mean"], state["seen"].astype(bool)
        self.components_, self.variance_ = state["components"], state["variance"]
        self.explained_variance_ratio_ = state["explained_variance_ratio"]
        return self

    @property
    def _sd(self) -> NDArray[np.float32]:
        return np.sqrt(np.maximum(self.variance_, np.finfo(np.float32).tiny))

    def _centred(self, values: Array, mask: Mask) -> NDArray[np.float32]:
        """Lay a scan's difference to the mean out in one row (V,)."""
        return ((values - self.mean_) * mask)[:, self.seen_].ravel()

    def _project(self, values: Array, mask: Mask) -> NDArray[np.float32]:
        check_mask(mask, self.method_name)
        return self.components_ @ self._centred(values, mask)

    def _draw(self, coefficients: NDArray[np.float32], values: Array, mask: Mask) -> Array:
        drawn = self.mean_ + self._on_grid(coefficients @ self.components_)
        return np.where(self.seen_, drawn, values) * mask

    def _on_grid(self, row: NDArray[np.float32]) -> Array:
        image = np.zeros(self.mean_.shape, np.float32)
        image[:, self.seen_] = row.reshape(len(image), -1)
        return image


def _masked_mean(scans: Scans) -> tuple[Array, Mask]:
    """Mean of each voxel over the scans whose mask holds it, and the voxels any mask holds."""
    count = np.zeros(scans.shape[1:], np.float64)
    total = np.zeros(scans.shape, np.float64)
    for values, mask in scans:
        count += mask
        total += values * mask
    return (total / np.maximum(count, 1)).astype(np.float32), count > 0


def _batches(n_scans: int, size: int, n_components: int) -> Iterator[range]:
    """Cut into even runs of at most `size` scans, but never fewer than there are components."""
    n_batches = max(1, min(-(-n_scans // size), n_scans // n_components))
    edges = [n * n_scans // n_batches for n in range(n_batches + 1)]
    return starmap(range, pairwise(edges))
