"""Find the brain, and cut the image down to it."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import Crop, InvertibleTransform, MapTransform

from medunsup.core.errors import InputError
from medunsup.core.renamed import takes_old_names
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask
from medunsup.preprocess.geometry.resample import bounding_box
from medunsup.transforms.bridge import fetch, logged_step, to_tensor, to_volume


class BrainMaskd(MapTransform):
    """Add the brain mask of the first key, and the registration of the template; the image stays as it is.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    mask_key : str, default 'brain_mask'
        Entry for the mask, (1, I, J, K) of 0 and 1 on the image's grid.
    template_to_scan_key : str, default 'template_to_scan'
        Entry for the registration, (4, 4), template world to scan world in mm.
    method : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'
        How the brain is found, as in `medunsup.brain_mask`.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image")])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> data["brain_mask"].shape == data["image"].shape, data["template_to_scan"].shape
    (True, (4, 4))
    """

    @takes_old_names(placement_key="template_to_scan_key")
    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "brain_mask",
        template_to_scan_key: str = "template_to_scan",
        method: str = "auto",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.template_to_scan_key = template_to_scan_key
        self.method = method

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with mask and registration added."""
        result = dict(data)
        image = result[self.first_key(result)]
        with logged_step("brain_mask") as step:
            mask, registration = brain_mask(to_volume(image), method=self.method, step=step)
        result[self.mask_key] = to_tensor(mask, image)
        result[self.template_to_scan_key] = np.asarray(registration.template_to_scan, dtype=float)
        return result


class CropToBraind(MapTransform, InvertibleTransform):
    """Cut each key to the box around the brain mask with a margin; the inverse pads with 0.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    mask_key : str, default 'brain_mask'
        Entry that holds the brain mask, (1, I, J, K).
    margin_mm : float, default 5.0
        Margin around the mask in mm.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Raises
    ------
    InputError
        If the mask is empty, when it is called.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, CropToBraind
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image"), CropToBraind("image", margin_mm=0)])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> whole = chain.inverse(data)["image"]
    >>> data["image"].numel() < whole.numel()
    True
    """

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
        """Bring each key back to the grid it came from.

        Parameters
        ----------
        data : dict
            What the transform returned.

        Returns
        -------
        dict
            The data with each key on its grid, 0 outside the box.
        """
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
