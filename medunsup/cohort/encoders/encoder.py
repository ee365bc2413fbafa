"""A pretrained encoder for a user's own arrays, in the way of scikit-learn."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from medunsup.cohort.encoders.folder import EncoderFolder, read_encoder
from medunsup.core.errors import ArrayError

if TYPE_CHECKING:
    from medunsup.cohort.encoders.manifest import EncoderManifest
    from medunsup.nn.encoder import Encoder as Network

BRIGHTEST = 255
FARTHEST = 10  # from 0: intensities are about [0, 1]

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Encoder(TransformerMixin, BaseEstimator):
    """A pretrained encoder: arrays in, a row of features each out.

    Parameters
    ----------
    path : str or Path
        Folder that `pretrain` made.

    Attributes
    ----------
    folder_ : EncoderFolder
        The folder, opened: what it says and which scans the encoder has seen.

    Notes
    -----
    There is nothing to fit: `fit` opens the folder, and so does `transform` where it was not called, so an
    encoder may be the first step of a scikit-learn pipeline.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> encoder = medunsup.Encoder.load("runs/encoder")
    >>> images = np.random.default_rng(0).random((3, 32, 32), dtype=np.float32)
    >>> encoder.transform(images).shape == (3, encoder.n_features)
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Open an encoder folder and read its weights.

        Parameters
        ----------
        path : str or Path
            Folder that `pretrain` made.

        Returns
        -------
        Encoder
            The encoder, ready to transform.

        Raises
        ------
        MissingError
            If there is no such folder.
        InputError
            If the folder is not complete, damaged, or its weights do not fit.
        """
        return cls(path).fit()

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Open the folder; nothing is learned.

        Parameters
        ----------
        X : array-like, optional
            Not looked at.
        y : array-like, optional
            Not looked at.

        Returns
        -------
        Encoder
            This encoder.

        Raises
        ------
        MissingError
            If there is no such folder.
        InputError
            If the folder is not complete, damaged, or its weights do not fit.
        """
        self.folder_: EncoderFolder = read_encoder(self.path)
        _ = self.folder_.network
        return self

    @property
    def network(self) -> "Network":
        """The network with its weights, a `torch.nn.Module`."""
        _ = self._about
        return self.folder_.network

    @property
    def n_features(self) -> int:
        """Number of features of a row."""
        return self._about.network.n_features

    def transform(self, X: NDArray[Any], masks: Mask | None = None) -> Array:
        """Return the features of images or prepared scans.

        Parameters
        ----------
        X : ndarray of shape (N, H, W), (N, C, H, W) or (N, C, I, J, K)
            Images or scans as the encoder was pretrained on: floats of about [0, 1], or uint8, which is
            divided by 255. Of volumes an encoder in two dimensions averages the features of axial slices.
        masks : ndarray of shape (N, H, W) or (N, I, J, K), bool, optional
            Where features are averaged. Without it everywhere for an encoder of images, and where the first
            channel is not 0 for one of scans.

        Returns
        -------
        ndarray of shape (N, D), float32
            One row each, whatever else is in X.

        Raises
        ------
        ArrayError
            If the arrays have other axes or channels, are not numbers of about [0, 1], or masks do not fit.
        """
        from medunsup.selfsupervised.encode import encode

        values, inside = self._inputs(X, masks)
        return encode(self.folder_.network, values, inside)

    def _inputs(self, X: NDArray[Any], masks: Mask | None) -> tuple[Array, Mask | None]:
        """Bring arrays to what the network takes, with masks; None looks everywhere."""
        values = _scaled(self._stack(np.asarray(X)))
        if masks is None:
            is_scan = self._about.preprocessing.kind == "scans"
            return values, values[:, 0] != 0 if is_scan else None
        inside = np.asarray(masks, dtype=bool)
        inside = inside[..., None] if inside.ndim == 3 else inside
        if inside.shape != values[:, 0].shape:
            raise ArrayError(
                f"masks are {np.shape(masks)}, but the arrays {np.shape(X)}. Give one mask each."
            )
        return values, inside

    def attention(self, X: NDArray[Any], masks: Mask | None = None) -> dict[str, Array]:
        """Return maps of where the encoder looks in images or prepared scans.

        Parameters
        ----------
        X : ndarray of shape (N, H, W), (N, C, H, W) or (N, C, I, J, K)
            Images or scans, as `transform` takes them.
        masks : ndarray of shape (N, H, W) or (N, I, J, K), bool, optional
            Where it may look, as `transform` takes them.

        Returns
        -------
        dict of str to ndarray of shape (N, H, W) or (N, I, J, K), float32
            Maps from 0 to 1 in the mask and 0 outside, the main one first: "mean", "head1", ... of a
            transformer with global attention; "coarse", "fine", "middle" of any other encoder.

        Raises
        ------
        ArrayError
            As `transform` raises it.
        """
        from medunsup.selfsupervised.attention import attention, scaled

        values, inside = self._inputs(X, masks)
        if inside is None:
            inside = np.ones_like(values[:, 0], bool)
        found = attention(self.folder_.network, values, inside)
        grid = values[:, 0].shape if np.ndim(X) == 5 else values.shape[:1] + values.shape[2:4]
        return {
            name: np.stack([scaled(one, mask)[0] * mask for one, mask in zip(maps, inside, strict=True)])
            .reshape(grid)
            .astype(np.float32)
            for name, maps in found.items()
        }

    @property
    def _about(self) -> "EncoderManifest":
        if not hasattr(self, "folder_"):
            self.fit()
        return self.folder_.manifest

    def _stack(self, X: NDArray[Any]) -> NDArray[Any]:
        """Bring to (N, C, I, J, K), images with K = 1."""
        network, given = self._about.network, X.shape
        if X.ndim == 3 and network.dims == 2:
            X = X[:, None]
        if X.ndim == 4 and network.dims == 2:
            X = X[..., None]
        wanted = "(N, C, I, J, K)" if network.dims == 3 else "(N, H, W), (N, C, H, W) or (N, C, I, J, K)"
        if X.ndim != 5 or not X.size:
            raise ArrayError(
                f"Expected arrays {wanted}, got the shape {given}.{_axis_hint(given, network.dims)}"
            )
        if X.shape[1] != network.channels:
            last = " Channels come second: np.moveaxis(X, -1, 1)." if given[-1] == network.channels else ""
            raise ArrayError(
                f"The encoder takes {network.channels} channels, got {X.shape[1]} in the shape {given}.{last}"
            )
        return X


def _axis_hint(given: tuple[int, ...], dims: int) -> str:
    return " Add the axis of channels: X[:, None]." if dims == 3 and len(given) == 4 else ""


def _scaled(X: NDArray[Any]) -> Array:
    if X.dtype == np.uint8:
        return X.astype(np.float32) / np.float32(BRIGHTEST)
    if X.dtype.kind not in "fiub":
        raise ArrayError(f"Expected real numbers, got {X.dtype}.")
    values = X.astype(np.float32)
    if not np.isfinite(values).all():
        raise ArrayError("The arrays hold values that are no finite numbers (NaN or inf); set them to 0.")
    if np.abs(values).max() > FARTHEST:
        raise ArrayError(
            f"The arrays hold values from {values.min():g} to {values.max():g}. Scale them to about [0, 1], "
            "as those that the encoder was pretrained on."
        )
    return values
