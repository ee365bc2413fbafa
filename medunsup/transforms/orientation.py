"""Turn axes to RAS+ by permuting and flipping alone, and back."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform

from medunsup.core.volume import ras_affine, ras_axes


class ToRASd(MapTransform, InvertibleTransform):
    """Reorder and flip axes so that they point right, anterior, superior; the inverse is exact.

    Nothing is interpolated.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, ToRASd
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, ToRASd("image")])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> bool((data["image"].affine[:3, :3].diagonal() > 0).all())
    True
    >>> bool((chain.inverse(data)["image"].affine[:3, :3].diagonal() > 0).all())
    False
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with each key's tensor turned and its affine changed to match."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self._turn(result[key])
        return result

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Bring each key back to the grid it came from.

        Parameters
        ----------
        data : dict
            What the transform returned.

        Returns
        -------
        dict
            The data with each key as it was, exactly.
        """
        result = dict(data)
        for key in self.key_iterator(result):
            extra = self.pop_transform(result[key])["extra_info"]
            result[key] = _turn_back(result[key], extra)
        return result

    def _turn(self, tensor: MetaTensor) -> MetaTensor:
        affine = np.asarray(tensor.affine, dtype=float)
        axes, flips = ras_axes(affine)
        moved = tensor.as_tensor().permute(0, *(axis + 1 for axis in axes))
        moved = torch.flip(moved, [n + 1 for n in range(3) if flips[n]]).contiguous()
        result = _placed(moved, ras_affine(affine, tuple(moved.shape[1:]), axes, flips), tensor)
        extra = {
            "axes": list(axes),
            "flips": [int(flip) for flip in flips],
            "affine": torch.as_tensor(affine),
        }
        self.push_transform(result, orig_size=tuple(tensor.shape[1:]), extra_info=extra)
        return result


def _turn_back(tensor: MetaTensor, extra: Mapping[str, Any]) -> MetaTensor:
    flipped = torch.flip(tensor.as_tensor(), [n + 1 for n in range(3) if extra["flips"][n]])
    order = np.argsort([int(axis) for axis in extra["axes"]])
    moved = flipped.permute(0, *(int(axis) + 1 for axis in order)).contiguous()
    return _placed(moved, np.asarray(extra["affine"], dtype=float), tensor)


def _placed(tensor: torch.Tensor, affine: np.ndarray[Any, Any], like: MetaTensor) -> MetaTensor:
    result = MetaTensor(tensor)
    result.copy_meta_from(like)
    result.affine = torch.as_tensor(affine)
    return result
