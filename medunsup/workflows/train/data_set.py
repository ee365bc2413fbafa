"""Evidence that a scan comes from a data set: its path, its `dataset_description.json`, or its grid."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from medunsup.core.geometry import Grid
from medunsup.workflows.train.model_card import card_fields

DESCRIBING = ("Name", "DatasetDOI", "SourceDatasets", "DatasetLinks")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
SAME_SPACING_MM = 1e-3

Axes = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class DataSet:
    """What a data card says of a data set: its name, by what it goes (`known_as`), its grids as they came.

    A grid is three pairs of voxels and spacing in mm, sorted: turning a scan does not change it.
    """

    name: str = ""
    known_as: tuple[str, ...] = ()
    grids: tuple[Axes, ...] = ()

    @classmethod
    def of_card(cls, data_card: str) -> Self:
        """Read `name`, `known_as` and `grids`, such as "288 x 288 x 181 voxels of 0.868 x 0.868 x 1 mm"."""
        fields = card_fields(data_card)
        read = [[float(number) for number in NUMBER.findall(text)] for text in _listed(fields, "grids")]
        grids = (_axes(numbers[:3], numbers[3:]) for numbers in read if len(numbers) == 6)
        return cls(str(fields.get("name") or ""), tuple(_listed(fields, "known_as")), tuple(grids))

    def evidence(self, scan: Path, grid: Grid | None = None) -> str:
        """Say what ties a scan to this data set, to stand behind "and"; empty if nothing does.

        A path counts as it was given and as links lead. A grid ties a scan to all who use this sequence.
        """
        paths = list(dict.fromkeys((scan.absolute(), scan.resolve())))
        for name in self.known_as:
            if any(_names(part, name) for path in paths for part in path.parts):
                return f"the scan's path names {name}"
        for name in self.known_as:
            if any(_names(text, name) for path in paths for text in _descriptions(path)):
                return f"the dataset_description.json above it names “{name}”"
        if grid is not None and any(_is_close(_axes(grid.shape, grid.spacing_mm), own) for own in self.grids):
            return "the scan's number and size of voxels are those of that data set's scans"
        return ""


def _listed(fields: dict[str, Any], key: str) -> list[str]:
    value = fields.get(key) or []
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def _names(text: str, name: str) -> bool:
    """Whether a name stands in a text as a word of its own: ds01-raw names ds01, ds012 does not."""
    return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text, re.IGNORECASE) is not None


def _descriptions(scan: Path) -> Iterator[str]:
    """Yield what the data sets that a scan lies in say they are, or are made from."""
    for parent in scan.parents:
        try:
            about = json.loads((parent / "dataset_description.json").read_text(encoding="utf-8-sig"))
            yield json.dumps([about.get(key) for key in DESCRIBING], ensure_ascii=False)
        except (OSError, ValueError, AttributeError):
            continue


def _axes(shape: Any, spacing_mm: Any) -> Axes:
    return tuple(sorted((int(n), float(mm)) for n, mm in zip(shape, spacing_mm, strict=True)))


def _is_close(first: Axes, second: Axes) -> bool:
    return bool(np.allclose(first, second, rtol=0, atol=SAME_SPACING_MM))
