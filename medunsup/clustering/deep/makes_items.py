"""Methods whose network also makes items."""

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from medunsup.clustering.base import Floats
from medunsup.clustering.deep.on_images import OnImages
from medunsup.core.errors import ArrayError

COLLAPSED = 0.05  # of the real items' spread


class MakesItems(OnImages):
    """Base of methods with `sample`."""

    def sample(self, n: int, *, seed: int = 0) -> Floats:
        """Make new items.

        Parameters
        ----------
        n : int
            How many, 1 or more.
        seed : int, default 0
            Seed of the noise.

        Returns
        -------
        ndarray of shape (n, D), or of images
            Items of the form that was fitted, in its units.
        """
        return self._made(lambda generator: self._net.draw(n, generator), seed)

    def _made(self, draw: Callable[[Any], Any], seed: int) -> Floats:
        check_is_fitted(self, "labels_")
        if self._n_columns == 1:
            raise ArrayError(
                "With one cluster nothing was learned, so nothing can be made. Ask for two or more."
            )
        import torch

        with torch.no_grad():
            return self._images(draw(torch.Generator().manual_seed(seed)))

    def _tell_collapse(self, labels: Any, n_clusters: int) -> None:
        super()._tell_collapse(labels, n_clusters)
        import torch

        with torch.no_grad():
            made = self._net.draw(200, torch.Generator().manual_seed(0))
        spread = float(made.std(0).mean())
        if spread < COLLAPSED:
            self._remark(
                f"Mode collapse: all items that are made are alike (spread {spread:.2g} of the real items'). "
                f"Lower learning_rate or try another seed."
            )
