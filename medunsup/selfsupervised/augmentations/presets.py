"""Which augmentations are taken, how often and how strongly; three choices that come with the package."""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator

from medunsup.core.config import Config
from medunsup.selfsupervised.augmentations.blur import draw_smoothing
from medunsup.selfsupervised.augmentations.crop import draw_crop
from medunsup.selfsupervised.augmentations.cutout import cutout
from medunsup.selfsupervised.augmentations.flip import draw_flips
from medunsup.selfsupervised.augmentations.intensity import change_intensity
from medunsup.selfsupervised.augmentations.noise import add_noise
from medunsup.selfsupervised.augmentations.resample import Affine, resample
from medunsup.selfsupervised.augmentations.rotation import draw_rotation
from medunsup.selfsupervised.augmentations.sobel import sobel
from medunsup.training.learner import View

Axis = Literal["I", "J", "K"]


def _probability(of: str) -> float:
    return Field(0.0, ge=0, le=1, description=f"probability that {of}")


class Augmentations(Config):
    """How each view of an item is changed; the default changes nothing."""

    crop: float = _probability("a random part of an item is shown, resized")
    crop_least: float = Field(0.5, gt=0, le=1, description="smallest share of the area or volume in a crop")
    crop_most: float = Field(1.0, gt=0, le=1, description="largest share of the area or volume in a crop")
    stretch: float = Field(1.0, ge=1, le=4, description="largest stretching of one axis against another")
    flip: float = _probability("an item is flipped, for each axis of `flip_axes`")
    flip_axes: tuple[Axis, ...] = Field(
        ("I",), description="axes that are flipped; I is left-right in scans and up-down in images (H, W)"
    )
    rotation: float = _probability("an item is rotated")
    degrees: float = Field(10.0, ge=0, le=180, description="largest rotation, degrees about each axis")
    blur: float = _probability("an item is smoothed")
    blur_voxels: float = Field(1.0, ge=0, le=16, description="most smoothing, standard deviation in voxels")
    noise: float = _probability("noise is added")
    noise_sd: float = Field(0.3, ge=0, le=10, description="most noise, in standard deviations of the item")
    intensity: float = _probability("intensities are changed")
    contrast: float = Field(0.25, ge=0, lt=1, description="largest change of the contrast, a share of it")
    shift: float = Field(0.25, ge=0, le=10, description="largest shift, in standard deviations of the item")
    gamma: float = Field(0.3, ge=0, le=2, description="largest logarithm of the exponent, natural")
    cutout: float = _probability("boxes are filled with the item's mean")
    cutout_boxes: int = Field(1, ge=1, le=64, description="number of boxes")
    cutout_side: float = Field(0.3, ge=0, le=1, description="longest side of a box, a share of the item's")
    sobel: float = _probability("edges are shown instead of intensities")

    @model_validator(mode="after")
    def _check_crop(self) -> Self:
        if self.crop_most < self.crop_least:
            raise ValueError(f"crop_most {self.crop_most} is below crop_least {self.crop_least}")
        return self


PRESETS = {
    "segmentation": Augmentations(
        crop=0.5,
        crop_least=0.4,
        stretch=1.2,
        flip=0.5,
        rotation=0.2,
        degrees=30,
        blur=0.1,
        noise=0.1,
        intensity=0.3,
    ),
    "classification": Augmentations(
        crop=1.0, crop_least=0.6, rotation=0.5, intensity=0.5, contrast=0.15, shift=0.15, gamma=0.15
    ),
    "strong": Augmentations(
        crop=1.0,
        crop_least=0.2,
        stretch=1.3,
        rotation=0.5,
        degrees=20,
        blur=0.3,
        noise=0.3,
        intensity=0.8,
        contrast=0.4,
        shift=0.3,
        gamma=0.4,
    ),
}


def augment(
    view: View, generator: torch.Generator, config: Augmentations, *, size: tuple[int, ...] | None = None
) -> View:
    """Make one random view of each item.

    Crop, flips, rotation and smoothing are one interpolation; then come noise, intensities, cutout and
    edges. On a CPU volumes are worked off one by one, as each then stays in the processor's cache.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    config : Augmentations
        Which steps are taken, how often and how strongly.
    size : tuple of int, optional
        Voxels of the view along each axis of space; those of the items if not given.

    Returns
    -------
    View
        The view.

    Raises
    ------
    UsageError
        If the items do not have an axis to flip.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.presets import PRESETS, augment
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16, 16), torch.ones(2, 1, 16, 16, 16, dtype=torch.bool))
    >>> augment(view, torch.Generator().manual_seed(0), PRESETS["segmentation"]).values.shape
    torch.Size([2, 1, 16, 16, 16])
    """
    size = tuple(view.values.shape[2:]) if size is None else size
    if view.values.ndim < 5 or view.values.device.type != "cpu":
        return _augmented(view, generator, config, size)
    items = zip(view.values.split(1), view.masks.split(1), strict=True)
    done = [_augmented(View(*item), generator, config, size) for item in items]
    return View(torch.cat([one.values for one in done]), torch.cat([one.masks for one in done]))


def _augmented(view: View, generator: torch.Generator, config: Augmentations, size: tuple[int, ...]) -> View:
    view = _moved(view, generator, config, size)
    view = add_noise(view, generator, most_sd=config.noise_sd, probability=config.noise)
    view = change_intensity(
        view,
        generator,
        contrast=config.contrast,
        shift=config.shift,
        gamma=config.gamma,
        probability=config.intensity,
    )
    view = cutout(
        view,
        generator,
        boxes=config.cutout_boxes,
        most_side=config.cutout_side,
        probability=config.cutout,
    )
    return sobel(view, generator, probability=config.sobel)


def _moved(view: View, generator: torch.Generator, config: Augmentations, size: tuple[int, ...]) -> View:
    """Crop, flip, rotate and smooth with one interpolation."""
    crop = draw_crop(view, generator, size, config.crop_least, config.crop_most, config.stretch, config.crop)
    signs = draw_flips(view, generator, config.flip_axes, config.flip)
    rotation = draw_rotation(view, generator, config.degrees, config.rotation)
    smoothing = draw_smoothing(view, generator, size, 0.0, config.blur_voxels, config.blur)
    is_still = not (config.crop or config.flip or config.rotation or config.blur)
    if is_still and size == view.values.shape[2:]:
        return view
    affine = Affine(rotation @ crop.linear * signs[:, None], crop.centre)
    return resample(view, affine, size, smoothing=smoothing if config.blur else None)
