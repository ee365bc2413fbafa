"""One self-contained page for the images of a file: classes, and those that the network is least sure of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base import text
from medunsup.report.base.images import colour_picture
from medunsup.report.base.render import render
from medunsup.report.base.text import Shown
from medunsup.report.predict.words import meaning
from medunsup.supervised.class_prediction import ImagePredictions

SHOWN, STRANGERS, SIDE, QUALITY = 24, 12, 96, 85
UNLIKE = "{flagged} of {n} unlike the images it was fine-tuned on; no expert has checked the classes"
UNCHECKED = "No expert has checked these classes"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One class: how many images it was given to, and the share of all."""

    name: str
    colour: str
    count: int
    share: float


@dataclass(frozen=True)
class Picture:
    """One image that is shown: the likeliest class and the next, with their probabilities."""

    name: str
    picture: str
    first: str
    p_first: float
    second: str
    p_second: float
    flags: tuple[str, ...]


def write_images_page(
    result: ImagePredictions, path: Path, *, file: str, colours: Mapping[str, str], command: str = ""
) -> Path:
    """Write the page to `path` and return it; `file` is the name of the images' file.

    The page loads nothing from outside and needs no JavaScript. Raises OutputError if the page cannot be
    written.
    """
    n, flagged = len(result.names), sum(map(bool, result.flags))
    tone: Shown = "check" if flagged else "partial"
    facts = {
        "name": file,
        "n": n,
        "tone": tone,
        "sign": text.VERDICTS[tone].sign,
        "title": (UNLIKE if flagged else UNCHECKED).format(flagged=flagged, n=n),
        "meaning": meaning(result.network),
        "remarks": result.remarks,
        "rows": [Row(one, colours[one], count, count / n) for one, count in result.counts.items()],
        "doubts": shown(result, least_sure(result)),
        "strangers": shown(result, [n for n, flags in enumerate(result.flags) if flags][:STRANGERS]),
        "flagged": flagged,
        "network": result.network,
        "steps": text.steps(result.record),
        "software": text.software(),
        "command": command,
        "version": __version__,
        "disclaimer": text.DISCLAIMER,
    }
    return write_text(path, render("predict_images.html.j2", **facts))


def least_sure(result: ImagePredictions) -> list[int]:
    """Return the places of the images whose likeliest class is least likely, the most uncertain first."""
    order = np.argsort(result.probabilities.max(axis=1), kind="stable")
    return [int(n) for n in order[:SHOWN]]


def shown(result: ImagePredictions, places: Sequence[int]) -> list[Picture]:
    """Picture images, each with its likeliest class and the next."""
    found = []
    for n in places:
        first, second = np.argsort(-result.probabilities[n], kind="stable")[:2]
        row = result.probabilities[n]
        found.append(
            Picture(
                result.names[n],
                colour_picture(pixels(result.values[n]), QUALITY),
                result.classes[first],
                float(row[first]),
                result.classes[second],
                float(row[second]),
                tuple(flag.sentence for flag in result.flags[n]),
            )
        )
    return found


def pixels(image: NDArray[np.float32]) -> Pixels:
    """Return the pixels (rows, columns, 3) of an image (C, I, J, K), small ones enlarged by whole numbers.

    Three channels are colours, else the first is shown; of a volume the middle slice.
    """
    flat = image[..., image.shape[3] // 2]
    colours = flat[:3] if len(flat) == 3 else np.repeat(flat[:1], 3, axis=0)
    times = max(1, SIDE // max(colours.shape[1:]))
    large = colours.repeat(times, axis=1).repeat(times, axis=2)
    return np.asarray(np.moveaxis(large, 0, -1) * 255 + 0.5, dtype=np.uint8)
