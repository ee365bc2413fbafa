"""A brain that another tool has normalised is recognised; one that only lies near is not."""

import numpy as np
import pytest

from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.template_space import constant_background, on_template


def template_moved(shift_mm=(0, 0, 0), turn_deg=0.0, scale=1.0) -> tuple[Volume, np.ndarray]:
    """The template as a scan of its own at 2 mm, moved in the world."""
    template = load_template()
    angle = np.deg2rad(turn_deg)
    move = np.eye(4)
    move[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    move[:3, :3] *= scale
    move[:3, 3] = shift_mm
    coarse = np.diag([2.0, 2, 2, 1])
    data, mask = template.t1.data[::2, ::2, ::2], template.mask.data[::2, ::2, ::2]
    return Volume(np.ascontiguousarray(data), move @ template.t1.affine @ coarse), mask


def test_template_lies_on_itself():
    image, mask = template_moved()
    registration = on_template(image, mask)
    assert registration is not None
    assert (registration.template_to_scan == np.eye(4)).all()


def test_inverted_contrast_lies_there_as_well():
    image, mask = template_moved()
    assert on_template(image.like(np.where(mask, 1 - image.data, 0)), mask) is not None


@pytest.mark.parametrize(
    "moved", [{"shift_mm": (8, 0, 0)}, {"shift_mm": (0, 0, 100)}, {"turn_deg": 10}, {"scale": 0.85}], ids=str
)
def test_brain_that_lies_elsewhere_is_to_be_registered(moved):
    assert on_template(*template_moved(**moved)) is None


def test_background_is_what_the_faces_of_the_scan_hold():
    image, mask = template_moved()
    assert (constant_background(image.like(np.where(mask, image.data + 5, -3))) == mask).mean() > 0.999
    noise = np.random.default_rng(0).normal(size=image.shape).astype(np.float32)
    assert constant_background(image.like(noise)) is None
