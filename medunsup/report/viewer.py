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

from medunsup.core.geometry import Affine
from medunsup.core.labels import Label
from medunsup.report.cutter import window
from medunsup.report.embed import COMPRESSION, as_nifti, as_text, coarsening, coarser, fit, in_levels
from medunsup.report.pictures import as_grey
from medunsup.report.slices import Box, box_around
from medunsup.report.words import tissue_name
from medunsup.tissue.result import TissueResult

NIIVUE_IN_NILEARN = Path("_assets", "js", "niivue.umd.js")
LEAST_ROOM = 200_000
DOUBT_VOXEL_MM3 = 8.0
DOUBT_LEVELS = 32


@dataclass(frozen=True)
class EmbeddedMap:
    """One map for niivue: gzipped NIfTI as base64."""

    key: str
    base64: str


@dataclass(frozen=True)
class Viewer:
    """What the page's viewer needs; `spacing_mm` is that of the copies, `is_coarser` if they lost detail."""

    code: str
    maps: tuple[EmbeddedMap, ...]
    colours: dict[str, Any]
    spacing_mm: tuple[float, float, float]
    is_coarser: bool
    greys: int

    @property
    def spacing_text(self) -> str:
        """Voxel size of the copies, for reading."""
        return " × ".join(f"{length:.2f}" for length in self.spacing_mm)


def viewer(result: TissueResult, room: int) -> Viewer | None:
    """Pack the scan, the tissues and the uncertainty into `room` characters; None if niivue is not installed.

    With very little room the copies are coarse, but the viewer is not left out.
    """
    code = niivue_code()
    if code is None:
        return None
    spacing = result.image.spacing_mm
    mask = result.brain_mask.data.astype(bool)
    box = box_around(mask, spacing)
    affine = box.affine(result.image.affine)
    grey = as_grey(box.crop(result.image.data), window(result.image.data, mask))
    doubt = _packed_doubt(result, box, affine)
    left = max(LEAST_ROOM, room - len(code) - len(doubt))
    copies = fit(grey, box.crop(result.labels.data), spacing, affine, left)
    texts = {"scan": copies.scan, "tissues": copies.tissues, "uncertainty": doubt}
    maps = tuple(EmbeddedMap(key, text) for key, text in texts.items())
    i, j, k = (length * factor for length, factor in zip(spacing, copies.factors, strict=True))
    table = tuple(item.label for item in result.tissues)
    return Viewer(code, maps, label_colours(table), (i, j, k), max(copies.factors) > 1, copies.greys)


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


def _packed_doubt(result: TissueResult, box: Box, affine: Affine) -> str:
    """Pack the uncertainty in coarse voxels and few levels: it is looked at as patches."""
    doubt = as_grey(box.crop(result.uncertainty.data), (0.0, 1.0))
    factors = coarsening(result.image.spacing_mm, DOUBT_VOXEL_MM3)
    levels = in_levels(coarser(doubt, factors), DOUBT_LEVELS)
    return as_text(as_nifti(levels, affine, factors))
