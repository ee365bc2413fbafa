"""Labels that a file of images holds beside them, to be shown and counted, never to be learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import SplitName
from medunsup.io.files.npz import UNREADABLE

KEYS: dict[SplitName, str] = {"train": "train_labels", "validation": "val_labels"}
MOST_CLASSES = 20
UNKNOWN = -1


@dataclass(frozen=True)
class ShownLabels:
    """Classes by their names, and of each split the class (N,) of each image, -1 where none is known.

    `passed_over` says why labels that are there cannot be shown; empty if they can, or if there are none.
    """

    classes: tuple[str, ...] = ()
    of: Mapping[SplitName, NDArray[np.int64]] = field(default_factory=dict)
    passed_over: str = ""

    def keeping(self, split: SplitName, kept: Sequence[int]) -> "ShownLabels":
        """Return the same with some images of a split alone."""
        return replace(self, of={name: of[kept] if name == split else of for name, of in self.of.items()})


def shown_labels(path: Path, splits: Mapping[SplitName, int]) -> ShownLabels:
    """Read `train_labels` and `val_labels` of a .npz file, one an image; `splits` says how many there are."""
    words: dict[SplitName, list[str]] = {}
    for split, given in _arrays(path, splits).items():
        flat = given.reshape(len(given), -1) if given.ndim else given
        if flat.ndim != 2 or flat.shape != (splits[split], 1) or flat.dtype.kind not in "biufUS":
            return ShownLabels(passed_over=f"{KEYS[split]} is not one label an image, and is not shown.")
        words[split] = [_word(value) for value in flat[:, 0]]
    classes = sorted({word for each in words.values() for word in each if word}, key=_order)
    if len(classes) > MOST_CLASSES:
        return ShownLabels(
            passed_over=f"Labels of {len(classes)} classes are not shown, as they are too many."
        )
    if len(classes) < 2:
        return ShownLabels()
    numbers = {"": UNKNOWN} | {name: n for n, name in enumerate(classes)}
    of = {split: np.array([numbers[word] for word in each], np.int64) for split, each in words.items()}
    return ShownLabels(tuple(classes), of)


def _arrays(path: Path, splits: Mapping[SplitName, int]) -> dict[SplitName, NDArray[Any]]:
    """Read the labels alone: images may be large."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {split: file[KEYS[split]] for split in splits if KEYS.get(split) in file.files}
    except UNREADABLE:
        return {}


def _word(value: Any) -> str:
    """Name a class; nothing where a number says that none is known: below 0, or NaN."""
    if isinstance(value, np.str_ | np.bytes_):
        return value.decode() if isinstance(value, bytes) else str(value)
    number = float(value)
    if not np.isfinite(number) or number < 0:
        return ""
    return str(int(number)) if number.is_integer() else f"{number:g}"


def _order(word: str) -> tuple[bool, float, str]:
    try:
        return False, float(word), word
    except ValueError:
        return True, 0.0, word
