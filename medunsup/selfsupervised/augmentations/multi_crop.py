"""Several views of each item: some of most of it, others of small parts."""

import torch

from medunsup.selfsupervised.augmentations.presets import Augmentations, augment
from medunsup.training.learner import View


def multi_crop(
    view: View,
    generator: torch.Generator,
    config: Augmentations,
    *,
    size: tuple[int, ...] | None = None,
    n_global: int = 2,
    n_local: int = 4,
    local_size: tuple[int, ...] | None = None,
    local_share: float = 0.3,
) -> tuple[View, ...]:
    """Make several views of each item: some of most of it, others of small parts.

    Local views are always cropped, to between a fifth of `local_share` and all of it; where global views
    are cropped, they hold more than that share.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    config : Augmentations
        Which steps are taken, how often and how strongly.
    size : tuple of int, optional
        Voxels of global views along each axis; those of the items if not given.
    n_global : int, default 2
        Number of global views.
    n_local : int, default 4
        Number of local views.
    local_size : tuple of int, optional
        Voxels of local views; half of `size` if not given.
    local_share : float, default 0.3
        Largest share of the area or volume in a local view.

    Returns
    -------
    tuple of View
        Global views, then local ones.

    Raises
    ------
    UsageError
        If the items do not have an axis to flip.

    References
    ----------
    Caron et al., Unsupervised learning of visual features by contrasting cluster assignments, NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.multi_crop import multi_crop
    >>> from medunsup.selfsupervised.augmentations.presets import PRESETS
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> views = multi_crop(view, torch.Generator().manual_seed(0), PRESETS["classification"], n_local=1)
    >>> [tuple(view.values.shape) for view in views]
    [(2, 1, 16, 16), (2, 1, 16, 16), (2, 1, 8, 8)]
    """
    size = tuple(view.values.shape[2:]) if size is None else size
    local_size = tuple(-(-side // 2) for side in size) if local_size is None else local_size
    least = max(config.crop_least, local_share)
    whole = config.model_copy(update={"crop_least": least, "crop_most": max(least, config.crop_most)})
    local = config.model_copy(update={"crop": 1.0, "crop_least": 0.2 * local_share, "crop_most": local_share})
    return (
        *(augment(view, generator, whole, size=size) for _ in range(n_global)),
        *(augment(view, generator, local, size=local_size) for _ in range(n_local)),
    )
