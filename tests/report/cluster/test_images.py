"""Pictures of clusters of images: bright pixels are bright in the mean, and orange beside the rest."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from medunsup.report.cluster.images import cluster_pictures, image_pictures


def opened(data: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(b64decode(data.split(",")[1]))).convert("RGB")).astype(int)


def images(n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 1, 8, 16, 1), bright in the upper half or in the left one."""
    values, labels = np.full((n, 1, 8, 16, 1), 0.2, np.float32), np.arange(n) % 2
    values[labels == 0, :, :4] = 0.9
    values[labels == 1, :, :, :8] = 0.9
    return values, labels


def test_an_image_is_drawn_as_it_lies_in_the_file_and_not_turned():
    values, _ = images()
    drawn = opened(image_pictures(values, [0])[0])
    assert drawn.shape == (96, 192, 3)
    assert drawn[:40].mean() > 200 > 80 > drawn[56:].mean()


def test_means_are_of_the_cluster_and_differences_of_it_to_the_rest():
    values, labels = images()
    upper, left = cluster_pictures(values, labels, 2)
    assert (upper.n, left.n) == (3, 3)
    assert opened(upper.mean)[:40].mean() > 200
    difference = opened(upper.difference)
    assert difference[:40, 104:, 0].mean() > 200 > difference[:40, 104:, 2].mean()  # orange: brighter here
    assert difference[56:, :88, 2].mean() > 200 > difference[56:, :88, 0].mean()  # blue: darker
    assert difference[:40, :88].mean() < 20
    assert upper.reach == left.reach == pytest.approx(0.7, abs=1e-5)


def test_colours_stay_and_of_volumes_the_middle_is_shown():
    values = np.zeros((1, 3, 4, 4, 1), np.float32)
    values[:, 1] = 1
    red, green, blue = opened(image_pictures(values, [0])[0]).reshape(-1, 3).mean(axis=0)
    assert green > 240 > 20 > max(red, blue)
    volume = np.zeros((1, 1, 4, 4, 5), np.float32)
    volume[..., 2] = 1
    assert opened(image_pictures(volume, [0])[0]).min() > 240


def test_one_cluster_has_no_rest():
    values, labels = images()
    assert cluster_pictures(values, labels * 0, 1) == ()
