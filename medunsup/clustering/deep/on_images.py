"""Methods that learn features and clusters together, of rows or of images."""

from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from sklearn.utils.validation import check_is_fitted

from medunsup.clustering.base import ClusteringConfig, Floats
from medunsup.clustering.deep.share_network import ShareNetwork
from medunsup.core.errors import ArrayError


class OnImagesConfig(ClusteringConfig):
    """Parameters that methods on images share."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    width: int = Field(64, ge=1, le=4096, description="learned features, and units of layers")
    encoder: str = Field("cnn", description="encoder of images; not used for features (N, D)")
    encoder_parameters: dict[str, object] | None = Field(None, description="its parameters by name")
    batch_size: int = Field(64, ge=2, description="items in each step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="step size of Adam")


class OnImages(ShareNetwork):
    """Base of methods that take features (N, D), or images (N, H, W), (N, C, H, W) or (N, C, I, J, K).

    Images are brought to mean 0 and standard deviation 1 over all voxels of all images together.
    """

    _learned: ClassVar[tuple[str, ...]] = (*ShareNetwork._learned, "_image_shape")
    takes: ClassVar[tuple[str, ...]] = ("features", "images")
    _image_shape: NDArray[np.int64]

    def _body(self, config: Any) -> Any:
        from medunsup.clustering.deep.shaped_networks import Body

        return Body(self._shape(), config.width, config.encoder, dict(config.encoder_parameters or {}))

    def _shape(self) -> tuple[int, ...]:
        """Return the shape of an item as networks see it: (d,), or (C, ...)."""
        sides = tuple(int(side) for side in self._image_shape)
        if not sides:
            return (len(self._used),)
        if len(sides) == 4 and sides[-1] == 1:  # slices, as a stack of scans has them
            return sides[:-1]
        return (1, *sides) if len(sides) == 2 else sides

    def _scale(self, rows: Floats) -> None:
        super()._scale(rows)
        if len(self._image_shape):
            self._used = np.arange(rows.shape[1])
            self._middle, self._spread = np.full(1, rows.mean()), np.full(1, rows.std() or 1.0)

    def _rows_of(self, X: ArrayLike, *, reset: bool = False) -> Floats:
        """Check rows, or images, which are laid out as rows."""
        if np.asarray(X).ndim < 3:
            if reset:
                self._image_shape = np.empty(0, np.int64)
            return super()._rows_of(X, reset=reset)
        images = np.asarray(X)
        sides = np.asarray(images.shape[1:])
        if images.ndim > 5:
            raise ArrayError(
                f"Images of {images.ndim} axes: give (N, H, W), (N, C, H, W) or (N, C, I, J, K)."
            )
        if reset:
            self._image_shape = sides
        elif not np.array_equal(sides, self._image_shape):
            raise ArrayError(
                f"Images are {sides.tolist()}, those of the fit {self._image_shape.tolist()}: resample them."
            )
        return super()._rows_of(images.reshape(len(images), prod(images.shape[1:])), reset=reset)

    def _images(self, values: Any) -> Floats:
        """Return values (N, d) that a network made as items of the form that was fitted."""
        rows = values.detach().double().numpy() * self._spread + self._middle
        if len(self._image_shape):
            return rows.reshape(len(rows), *(int(side) for side in self._image_shape))
        found = np.tile(self._rows[:1], (len(rows), 1))  # features that do not vary
        found[:, self._used] = rows
        return found

    def transform(self, X: ArrayLike) -> Floats:
        """Return learned features, each item by itself.

        Parameters
        ----------
        X : array-like of shape (M, D), or images
            Features or images, as they were fitted.

        Returns
        -------
        ndarray of shape (M, width)
            Learned features.

        Raises
        ------
        ArrayError
            If a value is not finite, or images have other sides than those of the fit.
        """
        check_is_fitted(self, "labels_")
        rows = self._rows_of(X)
        if self._n_columns == 1:
            return np.zeros((len(rows), 1))
        return self._network_features(rows)

    def _network_features(self, rows: Floats) -> Floats:
        """Return what the network makes of rows, each by itself."""
        return self._by_network(self._net.features, rows)
