"""The MNI template: registered to a scan, its maps brought to the scan, or the scan brought to it."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform, SpatialResample
from monai.utils import ensure_tuple_rep

from medunsup.core.geometry import Affine, Grid
from medunsup.core.renamed import takes_old_names
from medunsup.metrics.label_map import may_be_labels
from medunsup.preprocess.geometry.label_maps import resampled_labels
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration, register_template
from medunsup.transforms.bridge import fetch, logged_step, to_volume, with_array

MAPS = ("gm", "wm", "csf")
NEAREST = "nearest"


class RegisterTemplated(MapTransform):
    """Register the MNI152 template to the first key, and add the registration.

    With `mask_key` in the data the brain alone is matched.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    mask_key : str, default 'brain_mask'
        Entry that holds the brain mask, (1, I, J, K).
    template_to_scan_key : str, default 'template_to_scan'
        Entry for the registration, (4, 4), template world to scan world in mm.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, RegisterTemplated
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image"), RegisterTemplated("image")])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> data["template_to_scan"].shape
    (4, 4)
    """

    @takes_old_names(placement_key="template_to_scan_key")
    def __init__(
        self,
        keys: KeysCollection,
        mask_key: str = "brain_mask",
        template_to_scan_key: str = "template_to_scan",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.template_to_scan_key = template_to_scan_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with the registration added."""
        result = dict(data)
        image = to_volume(result[self.first_key(result)])
        mask = to_volume(result[self.mask_key], kind="mask") if self.mask_key in result else None
        with logged_step("template") as step:
            registration = register_template(image, mask, step=step)
        result[self.template_to_scan_key] = np.asarray(registration.template_to_scan, dtype=float)
        return result


class TemplateMapsd(MapTransform):
    """Add the template's maps of GM, WM and CSF on the grid of the first key.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    maps_key : str, default 'template_maps'
        Entry for the maps, (3, I, J, K), in [0, 1].
    template_to_scan_key : str, default 'template_to_scan'
        Entry that holds the registration, (4, 4), template world to scan world in mm.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, TemplateMapsd
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image"), TemplateMapsd("image")])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> data["template_maps"].shape[0]
    3
    """

    @takes_old_names(placement_key="template_to_scan_key")
    def __init__(
        self,
        keys: KeysCollection,
        maps_key: str = "template_maps",
        template_to_scan_key: str = "template_to_scan",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.maps_key = maps_key
        self.template_to_scan_key = template_to_scan_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with the maps added."""
        result = dict(data)
        image = result[self.first_key(result)]
        registration = Registration(
            _registration(result, self.template_to_scan_key), metric=float("nan"), fits=True
        )
        i, j, k = image.shape[1:]
        grid = Grid((i, j, k), np.asarray(image.affine, dtype=float))
        template = load_template()
        maps = [registration.to_scan(getattr(template, name), grid) for name in MAPS]
        result[self.maps_key] = with_array(np.stack(maps), image)
        return result


class ToTemplated(MapTransform, InvertibleTransform):
    """Resample each key to template space by the affine registration; the inverse resamples back.

    Interpolation blurs: the inverse gives the old grid exactly, the old values nearly. With 'nearest' each
    label of a map of whole numbers keeps its volume, there and back, which the nearest voxel alone does not
    give it.

    Parameters
    ----------
    keys : str or sequence of str
        Entries of the data that are transformed.
    template_to_scan_key : str, default 'template_to_scan'
        Entry that holds the registration, (4, 4), template world to scan world in mm.
    spacing_mm : float, default 1.0
        Voxel spacing there in mm.
    mode : str or tuple of str, default 'bilinear'
        MONAI's interpolation, one for all keys or one for each; 'nearest' for labels.
    allow_missing_keys : bool, default False
        Pass over keys that are not there.

    Examples
    --------
    >>> from monai.transforms import Compose, LoadImaged
    >>> from medunsup.transforms import BrainMaskd, MedunsupReader, ToTemplated
    >>> load = LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)
    >>> chain = Compose([load, BrainMaskd("image"), ToTemplated("image", spacing_mm=4)])
    >>> data = chain({"image": "scan.nii.gz"})
    >>> [round(float(step), 2) for step in data["image"].affine.diagonal()[:3]]
    [4.0, 4.0, 4.0]
    >>> chain.inverse(data)["image"].ndim
    4
    """

    @takes_old_names(placement_key="template_to_scan_key")
    def __init__(
        self,
        keys: KeysCollection,
        template_to_scan_key: str = "template_to_scan",
        spacing_mm: float = 1.0,
        mode: str | tuple[str, ...] = "bilinear",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.template_to_scan_key = template_to_scan_key
        self.spacing_mm = spacing_mm
        self.mode = ensure_tuple_rep(mode, len(self.keys))
        self.resampler = SpatialResample(padding_mode="zeros", align_corners=True)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the data with each key on the template's grid, in template world mm."""
        result = dict(data)
        registration = _registration(result, self.template_to_scan_key)
        grid = self._grid()
        for key, mode in self.key_iterator(result, self.mode):
            moved = self._move(result[key], np.asarray(np.linalg.inv(registration), dtype=float), mode)
            there = self.resampler(moved, torch.as_tensor(grid.affine), grid.shape, mode=mode)
            result[key] = _relabelled(there, moved) if mode == NEAREST else there
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
            The data with each key on the scan's grid, in scan world mm.
        """
        result = dict(data)
        for key in self.key_iterator(result):
            back = self.resampler.inverse(result[key])
            told = self.pop_transform(back)["extra_info"]
            if told["mode"] == NEAREST:
                back = _relabelled(back, result[key])
            back.affine = torch.as_tensor(told["affine"])
            result[key] = back
        return result

    def _move(self, tensor: MetaTensor, world: Affine, mode: str) -> MetaTensor:
        """Change where the tensor lies, not its voxels."""
        moved = tensor.clone()
        old = torch.as_tensor(np.asarray(tensor.affine, dtype=float))
        moved.affine = torch.as_tensor(world) @ old
        self.push_transform(
            moved, orig_size=tuple(tensor.shape[1:]), extra_info={"affine": old, "mode": str(mode)}
        )
        return moved

    def _grid(self) -> Grid:
        template = load_template().t1.grid
        scale = self.spacing_mm / np.array(template.spacing_mm)
        affine = template.affine @ np.diag([*scale, 1.0])
        i, j, k = (int(np.ceil(size / step)) for size, step in zip(template.shape, scale, strict=True))
        return Grid((i, j, k), affine)


def _relabelled(there: MetaTensor, here: MetaTensor) -> MetaTensor:
    """Fill channels of whole numbers anew, each label with the volume it has in `here`."""
    channels = np.array(there.detach().cpu().numpy())
    affine = np.asarray(here.affine, dtype=float)
    i, j, k = channels.shape[1:]
    grid = Grid((i, j, k), np.asarray(there.affine, dtype=float))
    for n, labels in enumerate(np.asarray(here.detach().cpu().numpy())):
        if may_be_labels(labels):
            channels[n] = resampled_labels(labels, affine, grid)
    return with_array(channels, there)


def _registration(data: dict[Hashable, Any], key: str) -> Affine:
    return np.asarray(fetch(data, key, "BrainMaskd or RegisterTemplated"), dtype=float)
