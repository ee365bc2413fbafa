"""Pictures of clusters of images: typical and untypical ones, the mean of each cluster, its difference."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medunsup.report.base.images import address, colour_jpeg
from medunsup.report.base.thumbnail import FULL_AT, HEIGHT, LESS, MORE
from medunsup.report.cluster.scans import MeanPicture

QUALITY = 80
COLOURS = 3  # channels that are red, green and blue

Images = NDArray[np.float32]


def image_pictures(images: Images, rows: Iterable[int]) -> dict[int, str]:
    """Return data addresses of images (N, C, I, J, K) in [0, 1] by the number of their row.

    Of volumes it is the middle slice; three channels are colours, else the first is shown.
    """
    return {row: _picture(_pixels(images[row])) for row in rows}


def cluster_pictures(images: Images, labels: NDArray[np.int64], k: int) -> tuple[MeanPicture, ...]:
    """Draw the mean image of each cluster, and how it differs from the mean of all other rows.

    Orange is brighter and blue darker, over all channels, all differences on one scale.
    """
    if k < 2:
        return ()
    means, others = [], []
    for label in range(k):
        inside = labels == label
        means.append(images[inside].mean(axis=0) if inside.any() else np.zeros_like(images[0]))
        others.append(images[~inside].mean(axis=0) if not inside.all() else means[-1])
    differences = [_slice(mean - other).mean(axis=0) for mean, other in zip(means, others, strict=True)]
    reach = float(np.percentile(np.abs(differences), FULL_AT)) or 1.0
    return tuple(
        MeanPicture(
            label,
            int((labels == label).sum()),
            _picture(_pixels(means[label])),
            _picture(_in_two_colours(differences[label], reach)),
            reach,
        )
        for label in range(k)
        if (labels == label).any()
    )


def _slice(image: Images) -> Images:
    """Return the middle slice (C, I, J) of an image (C, I, J, K)."""
    return image[..., image.shape[-1] // 2]


def _pixels(image: Images) -> NDArray[np.uint8]:
    middle = _slice(image)
    shown = middle if len(middle) == COLOURS else middle[:1].repeat(COLOURS, axis=0)
    found: NDArray[np.uint8] = (np.clip(shown, 0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    return found


def _in_two_colours(difference: Images, reach: float) -> NDArray[np.uint8]:
    share = np.clip(difference / reach, -1, 1)[..., None]
    colours = np.where(share > 0, np.array(MORE), np.array(LESS))
    return (np.abs(share) * colours).round().astype(np.uint8)


def _picture(pixels: NDArray[np.uint8]) -> str:
    """Return pixels (rows, columns, 3) brought to the height of a small picture, as a data address."""
    size = (max(1, round(HEIGHT * pixels.shape[1] / pixels.shape[0])), HEIGHT)
    how = Image.Resampling.NEAREST if pixels.shape[0] < HEIGHT else Image.Resampling.BOX
    resized = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, how)
    return address(colour_jpeg(np.asarray(resized), QUALITY), "jpeg")
