"""Images or volumes in one .npz file, as MedMNIST ships them: `train_images`, `val_images`, `test_images`."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import SplitName
from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.core.hints import option
from medunsup.io.files.npz import read_npz

ENDING = ".npz"
KEYS: dict[SplitName, str] = {"train": "train_images", "validation": "val_images", "test": "test_images"}
NEW = (KEYS["test"], "images")
MOST_CHANNELS = 4
BRIGHTEST = 255


Array = NDArray[np.float32]


@dataclass(frozen=True)
class Images:
    """Images (N, C, I, J, K) float32 in [0, 1], as the file holds them under `key`, all or at `positions`.

    Of images in two dimensions K is 1.
    """

    key: str
    values: Array
    positions: Sequence[int] | None = None

    @property
    def names(self) -> list[str]:
        """Name of each image: key and position in the file."""
        positions = range(len(self.values)) if self.positions is None else self.positions
        return [f"{self.key}[{n}]" for n in positions]

    @property
    def contents(self) -> list[str]:
        """SHA-256 of each image's values."""
        return [sha256(one.tobytes()).hexdigest() for one in self.values]


def read_images(
    path: Path, *, splits: tuple[SplitName, ...] = ("train", "validation")
) -> dict[SplitName, Images]:
    """Read the images of some splits; all but "train" may be missing.

    An array is (N, H, W), (N, H, W, C) of up to 4 channels, or (N, I, J, K) of more slices than that; uint8,
    which is divided by 255, or floats in [0, 1]. Labels are not looked at.

    Raises MissingError or InputError for a file or array that is not like that.
    """
    arrays = _arrays_in(path)
    if KEYS["train"] not in arrays:
        held = f"only {', '.join(arrays)}" if arrays else "nothing"
        raise InputError(
            f"{path}: holds no {KEYS['train']}, {held}. Name the images as MedMNIST does: "
            f"{', '.join(KEYS.values())}."
        )
    found = {
        split: Images(KEYS[split], as_images(arrays[KEYS[split]], f"{path}: {KEYS[split]}"))
        for split in splits
        if KEYS[split] in arrays and (split == "train" or len(arrays[KEYS[split]]))
    }
    _refuse_other_sizes(found, path)
    return found


def read_new_images(path: Path) -> Images:
    """Read images that nothing has to be learned from: `test_images`, or else `images`; all as `read_images`.

    Raises MissingError or InputError for a file or array that is not like that.
    """
    arrays = _arrays_in(path)
    key = next((name for name in NEW if name in arrays), None)
    if key is None:
        held = f"only {', '.join(arrays)}" if arrays else "nothing"
        raise InputError(f"{path}: holds no {' or '.join(NEW)}, {held}. Name the array so.")
    return Images(key, as_images(arrays[key], f"{path}: {key}"))


def _arrays_in(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        raise MissingError(f"{path}: there is no such file. Check the path.")
    arrays = read_npz(path)
    if arrays is None:
        raise InputError(
            f"{path}: cannot be read as a .npz file of arrays of numbers. Copy it again; if its images "
            "differ in size, bring all to one size."
        )
    return arrays


def as_images(given: NDArray[Any], where: str) -> Array:
    """Return (N, C, I, J, K) float32 in [0, 1] of an array in a file. Raises InputError naming `where`."""
    if given.ndim not in (3, 4) or not given.size:
        raise InputError(
            f"{where} has the shape {given.shape}. Give images (N, H, W), (N, H, W, C) of up to "
            f"{MOST_CHANNELS} channels, or volumes (N, I, J, K) of more slices than that."
        )
    values = in_unit_range(given, where)
    if values.ndim == 4 and values.shape[3] > MOST_CHANNELS:
        return np.ascontiguousarray(values[:, None])
    values = values if values.ndim == 4 else values[..., None]
    return np.ascontiguousarray(np.moveaxis(values, 3, 1)[..., None])


def in_unit_range(values: NDArray[Any], where: str) -> Array:
    """Bring uint8 to [0, 1]; floats must lie there already. InputError naming `where` if they do not."""
    if values.dtype == np.uint8:
        return values.astype(np.float32) / np.float32(BRIGHTEST)
    if values.dtype.kind != "f":
        raise InputError(f"{where} is {values.dtype}. Give uint8, or floats in [0, 1].")
    _refuse_not_finite(values, where)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        raise InputError(f"{where} holds values from {low:g} to {high:g}. Give uint8, or scale to [0, 1].")
    return values.astype(np.float32)


def _refuse_not_finite(values: NDArray[Any], where: str) -> None:
    broken = [n for n, one in enumerate(values) if not np.isfinite(one).all()]
    if broken:
        raise InputError(
            f"{where}[{broken[0]}] holds values that are no finite numbers (NaN or inf), as do "
            f"{len(broken) - 1} more. Leave these images out, or set the values to 0."
        )


def _refuse_other_sizes(found: dict[SplitName, Images], path: Path) -> None:
    shapes = {one.key: one.values.shape[1:] for one in found.values()}
    if len(set(shapes.values())) > 1:
        said = ", ".join(
            f"{key} {shape[1:] if shape[3] > 1 else shape[1:3]} with {shape[0]} channels"
            for key, shape in shapes.items()
        )
        raise InputError(f"{path}: images differ in size: {said}. Bring all to one size.")


def refuse_executor(file: Path, name: str) -> None:
    """Raise UsageError for an executor other than processes: images need no preparation."""
    if name != "processes":
        raise UsageError(
            f"{option('executor', name)}: is for scans, and {file.name} holds images, which are ready. Leave "
            "it out, or give scans."
        )


def refuse_choices_of_scans(file: Path, given: Any, usual: Any, mask: str | None) -> None:
    """Raise UsageError for choices that would be ignored: images are taken as they are.

    `given` are the settings of a verb, `usual` the same with nothing chosen.
    """
    known = (
        (option("spacing_mm", given.spacing_mm), given.spacing_mm != usual.spacing_mm),
        (option("contrast", given.contrast), given.contrast != usual.contrast),
        (option("brain", given.brain), given.brain != usual.brain),
        (option("coordinates", given.coordinates), given.coordinates != usual.coordinates),
        (option("mask", mask), mask is not None),
    )
    chosen = [words for words, is_chosen in known if is_chosen]
    if chosen:
        raise UsageError(
            f"{', '.join(chosen)}: is for scans, and {file.name} holds images, which have no template grid, "
            "contrast or brain mask. Leave it out, or give scans."
        )
