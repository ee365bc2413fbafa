"""Bring intensities to a common scale."""

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from medunsup.preprocess.intensity.bias import correct_bias
from medunsup.preprocess.intensity.normalize import TAILS_PERCENT, winsorize_and_scale
from medunsup.transforms.bridge import fetch, logged_step, to_tensor, to_volume


class BiasCorrectd(MapTransform):
    """Divide by the smooth bias field that N4 fits inside the brain mask.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    mask_key : str, default 'brain_mask'
        Entry that holds the brain mask, (1, I, J, K).
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    References
    ----------
    Tustison et al. (2010), N4ITK: improved N3 bias correction. IEEE Transactions on Medical Imaging 29.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, BiasCorrectd
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image"), BiasCorrectd("image")])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> data["image"].shape == data["brain_mask"].shape
    True
    """

    def __init__(
        self, keys: KeysCollection, mask_key: str = "brain_mask", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with each key corrected."""
        result = dict(data)
        mask = to_volume(fetch(result, self.mask_key, "BrainMaskd"), kind="mask")
        for key in self.key_iterator(result):
            with logged_step("bias") as step:
                corrected, _ = correct_bias(to_volume(result[key]), mask, step=step)
            result[key] = to_tensor(corrected, result[key])
        return result


class WinsorizeAndScaled(MapTransform):
    """Clip to percentiles inside the brain mask, and scale those to 0 and 1.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    mask_key : str, default 'brain_mask'
        Entry that holds the brain mask, (1, I, J, K).
    tails_percent : tuple of float, default (0.1, 99.9)
        Lower and upper percentile.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, WinsorizeAndScaled
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image"), WinsorizeAndScaled("image")])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> round(float(data["image"].min()), 3), round(float(data["image"].max()), 3)
    (0.0, 1.0)
    """

    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "brain_mask",
        tails_percent: tuple[float, float] = TAILS_PERCENT,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.tails_percent = tails_percent

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with each key's intensities in [0, 1]."""
        result = dict(data)
        mask = to_volume(fetch(result, self.mask_key, "BrainMaskd"), kind="mask")
        for key in self.key_iterator(result):
            image = to_volume(result[key])
            scaled = winsorize_and_scale(image.data, mask.data, tails_percent=self.tails_percent)
            result[key] = to_tensor(image.like(scaled), result[key])
        return result
