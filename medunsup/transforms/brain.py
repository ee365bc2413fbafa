"""Find the brain, and cut the image down to it."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import Crop, InvertibleTransform, MapTransform

from medunsup.core.errors import InputError
from medunsup.preprocess.brain_mask import brain_mask
from medunsup.preprocess.images import bounding_box
from medunsup.transforms.bridge import fetch, logged_step, to_tensor, to_volume


class BrainMaskd(MapTransform):
    """Add the brain's mask of the first key under `mask_key`, and the template's place under `placement_key`.

    The image stays as it is. The mask is (1, I, J, K) of 0 and 1 on the image's grid; the placement is a
    (4, 4) array, template world to scan world in mm. `method` is that of `brain_mask`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "brain_mask",
        placement_key: str = "placement",
        method: str = "auto",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.placement_key = placement_key
        self.method = method

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with mask and placement added."""
        result = dict(data)
        image = result[self.first_key(result)]
        with logged_step("brain_mask") as step:
            mask, placement = brain_mask(to_volume(image), method=self.method, step=step)
        result[self.mask_key] = to_tensor(mask, image)
        result[self.placement_key] = np.asarray(placement.affine_mm, dtype=float)
        return result


class CropToBraind(MapTransform, InvertibleTransform):
    """Cut each key to the box around the mask with a margin; the inverse pads with 0 to the old grid."""

    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "brain_mask",
        margin_mm: float = 5.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.margin_mm = margin_mm
        self.cropper = Crop()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with each key cut to the same box."""
        result = dict(data)
        box = self._box(fetch(result, self.mask_key, "BrainMaskd"))
        for key in self.key_iterator(result):
            result[key] = self.cropper(result[key], box)
        return result

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with each key on the grid it came from."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self.cropper.inverse(result[key])
        return result

    def _box(self, mask: Any) -> tuple[slice, slice, slice]:
        inside = np.asarray(mask[0]) > 0.5
        if not inside.any():
            raise InputError("The brain mask is empty, so there is nothing to crop to. Give another mask.")
        spacing = np.linalg.norm(np.asarray(mask.affine, dtype=float)[:3, :3], axis=0)
        i, j, k = (int(np.ceil(self.margin_mm / length)) for length in spacing)
        return bounding_box(inside, (i, j, k))
