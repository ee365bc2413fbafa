"""The embedded viewer: niivue's code and small copies of the maps, all inside the page.

A page opened from disk may not load files, so everything travels as base64. The copies are cropped to the
brain, 8 bits, and made coarser only when they would not fit.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.report.base.embed import COMPRESSION, as_nifti, as_text, coarsening, coarser, fit, in_levels
from medunsup.report.base.images import as_grey
from medunsup.report.base.slices import box_around
from medunsup.report.base.text import tissue_name
from medunsup.report.base.tiles import window
from medunsup.tissue.result import TissueResult

NIIVUE_IN_NILEARN = Path("_assets", "js", "niivue.umd.js")
LEAST_ROOM = 200_000
LEVELS_VOXEL_MM3 = 8.0
N_LEVELS = 32


@dataclass(frozen=True)
class EmbeddedMap:
    """One map for niivue: gzipped NIfTI as base64."""

    key: str
    base64: str


@dataclass(frozen=True)
class Viewer:
    """What the page's viewer needs; `spacing_mm` is that of the copies, `is_coarser` if they lost detail.

    `layers` tell niivue how to draw each map over the scan, and the page how to read its values aloud. It
    starts at `start_mm` in the world, or in the middle.
    """

    code: str
    maps: tuple[EmbeddedMap, ...]
    layers: tuple[dict[str, Any], ...]
    spacing_mm: tuple[float, float, float]
    is_coarser: bool
    greys: int
    start_mm: tuple[float, float, float] | None = None

    @property
    def spacing_text(self) -> str:
        """Voxel size of the copies, for reading."""
        return " × ".join(f"{length:.2f}" for length in self.spacing_mm)


def viewer(result: TissueResult, room: int) -> Viewer | None:
    """Pack the scan, the tissues and the uncertainty into `room` characters; None if niivue is not installed.

    With very little room the copies are coarse, but the viewer is not left out.
    """
    table = tuple(item.label for item in result.tissues)
    tissues = {"key": "tissues", "name": "tissues", "labels": label_colours(table), "none": "outside"}
    doubt = {"key": "uncertainty", "name": "uncertainty", "colours": "cividis", "low": 24}
    doubt |= {"scale": 100 / 255, "digits": 0, "unit": " %"}
    return pack(
        result.image,
        result.brain_mask.data.astype(bool),
        (tissues, result.labels.data),
        (doubt, as_grey(result.uncertainty.data, (0.0, 1.0))),
        room,
    )


def pack(
    image: Volume,
    mask: NDArray[np.bool_],
    labels: tuple[dict[str, Any], NDArray[np.uint8]],
    levels: tuple[dict[str, Any], NDArray[np.uint8]],
    room: int,
    start_mm: tuple[float, float, float] | None = None,
) -> Viewer | None:
    """Pack a scan with one label map and one map of 8-bit levels, (I, J, K) each with its layer.

    They are cropped to `mask`; the levels are coarse: they are looked at as patches.
    """
    code = niivue_code()
    if code is None:
        return None
    spacing, box = image.spacing_mm, box_around(mask, image.spacing_mm)
    affine = box.affine(image.affine)
    grey = as_grey(box.crop(image.data), window(image.data, mask))
    factors = coarsening(spacing, LEVELS_VOXEL_MM3)
    coarse = in_levels(coarser(box.crop(levels[1]), factors), N_LEVELS)
    packed = as_text(as_nifti(coarse, affine, factors))
    left = max(LEAST_ROOM, room - len(code) - len(packed))
    copies = fit(grey, box.crop(labels[1]), spacing, affine, left)
    texts = {"scan": copies.scan, labels[0]["key"]: copies.labels, levels[0]["key"]: packed}
    maps = tuple(EmbeddedMap(key, text) for key, text in texts.items())
    i, j, k = (length * factor for length, factor in zip(spacing, copies.factors, strict=True))
    layers = (labels[0], levels[0] | {"top": int(in_levels(np.array(255, np.uint8), N_LEVELS))})
    return Viewer(code, maps, layers, (i, j, k), max(copies.factors) > 1, copies.greys, start_mm)


@cache
def niivue_code() -> str | None:
    """Return niivue's browser code, gzipped, as base64; None if nilearn's wheel does not carry it.

    It is read by path: importing nilearn would cost a second.
    """
    package = find_spec("nilearn")
    for folder in (package and package.submodule_search_locations) or ():
        file = Path(folder) / NIIVUE_IN_NILEARN
        if file.is_file():
            return as_text(gzip.compress(file.read_bytes(), COMPRESSION, mtime=0))
    return None


def label_colours(table: tuple[Label, ...]) -> dict[str, Any]:
    """Colours of the classes as niivue takes them; 0 is see-through."""
    rows = [
        (0, "", (0, 0, 0), 0),
        *((label.index, tissue_name(label.abbreviation, label.name), label.rgb, 255) for label in table),
    ]
    colours: dict[str, Any] = {
        channel: [row[2][position] for row in rows] for position, channel in enumerate("RGB")
    }
    return colours | {
        "A": [row[3] for row in rows],
        "I": [row[0] for row in rows],
        "labels": [row[1] for row in rows],
    }
