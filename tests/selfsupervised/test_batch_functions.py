"""What every augmentation and corruption keeps, whatever it does."""

from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import torch
from helpers.views import CUBES, SHAPES, generator, noisy, same

import medunsup.selfsupervised
from medunsup.selfsupervised.augmentations.presets import PRESETS, augment
from medunsup.training.learner import View

PUBLIC = {
    "augmentations": {
        **{name: name for name in ("blur", "cutout", "flip", "sobel")},
        "crop": "crop_and_resize",
        "rotation": "rotate",
        "intensity": "change_intensity",
        "noise": "add_noise",
    },
    "corruptions": {
        **{name: name for name in ("deblur", "genesis", "inpaint", "jigsaw", "masking", "noise")},
        "patch_swap": "patch_swap",
        "rotation": "rotation",
        "bezier": "bend",
        "shuffle": "shuffle_pixels",
    },
}
PARTS = {
    "augmentations": {"along_axes", "draws", "multi_crop", "presets", "resample", "statistics"},
    "corruptions": {"corrupted", "permutations", "positions"},
}
SMALL = {"patch_swap": {"side": 3}, "masking": {"side": 4}}


def load(folder: str, file: str, name: str):
    function = getattr(import_module(f"medunsup.selfsupervised.{folder}.{file}"), name)
    return partial(function, **SMALL.get(name, {}))


FUNCTIONS = {
    f"{folder}-{name}": load(folder, file, name)
    for folder, names in PUBLIC.items()
    for file, name in names.items()
} | {f"preset-{name}": partial(augment, config=config) for name, config in PRESETS.items()}

every = pytest.mark.parametrize("name", FUNCTIONS)
dims = pytest.mark.parametrize("shape", CUBES.values(), ids=["2D", "3D"])


def view_of(done) -> View:
    return done if isinstance(done, View) else done.view


def call(name: str, view: View, seed: int = 0) -> View:
    return view_of(FUNCTIONS[name](view, generator(seed)))


@pytest.mark.parametrize("folder", PUBLIC)
def test_every_file_of_the_folder_is_tested(folder):
    path = Path(medunsup.selfsupervised.__file__).parent / folder
    files = {file.stem for file in path.glob("*.py")} - {"__init__"}
    assert files == set(PUBLIC[folder]) | PARTS[folder]


@every
@dims
class TestEvery:
    def test_it_does_not_write_into_its_input(self, name, shape):
        """MONAI's RandCoarseShuffle and RandCoarseDropout do, so that input and target are one."""
        view = noisy(shape)
        values, masks = view.values.clone(), view.masks.clone()
        done = call(name, view)
        assert same(view, View(values, masks))
        if not torch.equal(done.values, values):
            assert done.values.data_ptr() != view.values.data_ptr()

    def test_the_same_generator_state_gives_the_same(self, name, shape):
        assert same(call(name, noisy(shape)), call(name, noisy(shape)))

    def test_items_draw_on_their_own(self, name, shape):
        """Of a batch of equal items not all come out alike, unless nothing is drawn."""
        view = noisy(shape)
        equal = View(view.values[:1].expand_as(view.values), view.masks[:1].expand_as(view.masks))
        done = call(name, equal)
        differ = any(not torch.equal(done.values[0], other) for other in done.values[1:])
        assert differ == (name != "augmentations-sobel")

    def test_shape_type_and_device_stay(self, name, shape):
        view = noisy(shape)
        done = call(name, view)
        assert done.values.shape == view.values.shape
        assert done.masks.shape == view.masks.shape
        assert done.values.dtype == torch.float32
        assert done.masks.dtype == torch.bool

    def test_all_zero_items_and_empty_masks_come_out_finite(self, name, shape):
        zeros, empty = torch.zeros(shape), torch.zeros(shape[0], 1, *shape[2:], dtype=torch.bool)
        for masks in (empty, ~empty):
            assert call(name, View(zeros, masks)).values.isfinite().all()
            assert call(name, View(zeros + 7.0, masks)).values.isfinite().all()

    def test_a_batch_of_one_works(self, name, shape):
        assert call(name, noisy((1, *shape[1:]))).values.isfinite().all()


AS_IT_WAS = {
    "blur": {"most_voxels": 0.0},
    "crop_and_resize": {"least_share": 1.0, "stretch": 1.0},
    "cutout": {"most_side": 0.0},
    "flip": {"probability": 0.0},
    "rotate": {"degrees": 0.0},
    "add_noise": {"most_sd": 0.0},
    "change_intensity": {"contrast": 0.0, "shift": 0.0, "gamma": 0.0},
    "sobel": {"probability": 0.0},
}


@pytest.mark.parametrize(("file", "name"), PUBLIC["augmentations"].items())
@pytest.mark.parametrize("shape", SHAPES.values(), ids=["2D", "3D"])
def test_at_no_strength_and_at_no_probability_an_augmentation_changes_nothing(file, name, shape):
    view, function = noisy(shape), load("augmentations", file, name)
    assert same(function(view, generator(), probability=0.0), view)
    done = function(view, generator(), **AS_IT_WAS[name])
    torch.testing.assert_close(done.values, view.values, atol=1e-6, rtol=0)
    assert torch.equal(done.masks, view.masks)


@pytest.mark.parametrize(("file", "name"), PUBLIC["augmentations"].items())
def test_a_probability_is_the_share_of_items_that_change(file, name):
    view = noisy((400, 1, 12, 12))
    done = load("augmentations", file, name)(view, generator(), probability=0.3)
    changed = (done.values != view.values).flatten(1).any(1).float().mean()
    assert 0.2 < float(changed) < 0.4
