"""Facts of the presets and of several views."""

import pytest
import torch
from helpers.views import SHAPES, generator, noisy, same
from pydantic import ValidationError

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.augmentations.multi_crop import multi_crop
from medunsup.selfsupervised.augmentations.presets import PRESETS, Augmentations, augment

dims = pytest.mark.parametrize("shape", SHAPES.values(), ids=["2D", "3D"])
STEPS = ("crop", "flip", "rotation", "blur", "noise", "intensity", "cutout", "sobel")


@dims
def test_the_default_changes_nothing(shape):
    view = noisy(shape)
    assert same(augment(view, generator(), Augmentations()), view)


@dims
@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_asked_for_by_its_probability(shape, step):
    view = noisy(shape)
    done = augment(view, generator(), Augmentations(**{step: 1.0}))
    assert not torch.equal(done.values, view.values)
    may_move = step in {"crop", "flip", "rotation"}
    assert torch.equal(done.masks, view.masks) is not may_move or step == "flip"


def test_classification_has_fewer_steps_and_no_flips():
    used = {name: {step for step in STEPS if getattr(config, step)} for name, config in PRESETS.items()}
    assert used["classification"] < used["segmentation"]
    assert not any(PRESETS[name].flip for name in ("classification", "strong"))


def test_only_left_and_right_are_flipped():
    assert all(config.flip_axes == ("I",) for config in PRESETS.values())


@pytest.mark.parametrize("wrong", [{"crop": 1.5}, {"flip_axes": ("L",)}, {"noise_sd": -1}, {"crop_least": 0}])
def test_strengths_have_bounds(wrong):
    with pytest.raises(ValidationError):
        Augmentations(**wrong)


def test_crops_whose_largest_share_is_below_the_smallest_are_refused():
    with pytest.raises(UsageError, match="crop_least"):
        Augmentations.parse({"crop_least": 0.6, "crop_most": 0.4})


@dims
def test_a_view_may_have_another_size(shape):
    size = tuple(side // 2 for side in shape[2:])
    done = augment(noisy(shape), generator(), PRESETS["segmentation"], size=size)
    assert done.values.shape == (*shape[:2], *size)
    assert done.masks.shape == (shape[0], 1, *size)


@dims
def test_multi_crop_gives_large_and_small_views_of_the_same_items_all_different(shape):
    views = multi_crop(noisy(shape), generator(), PRESETS["classification"], n_local=3)
    sides = [tuple(view.values.shape[2:]) for view in views]
    half = tuple(-(-side // 2) for side in shape[2:])
    assert sides == [shape[2:]] * 2 + [half] * 3
    for one, other in ((0, 1), (2, 3), (3, 4)):
        assert not torch.equal(views[one].values, views[other].values)


def test_local_views_show_a_small_part():
    """On a ramp from 0 to 1 a crop of a share of at most .1 of the area spans at most a third."""
    view = noisy((40, 1, 32, 32))
    view.values[:] = torch.linspace(0, 1, 32)
    config = Augmentations(crop=1)
    *_, local = multi_crop(view, generator(), config, n_local=1, local_share=0.1)
    spans = local.values.amax((1, 2, 3)) - local.values.amin((1, 2, 3))
    assert 0.1 < spans.min() < spans.max() < 0.33
