"""Docstrings of augmentations and corruptions are whole, and their examples run as they stand."""

import doctest
from importlib import import_module

import pytest
from helpers.docstrings import EXAMPLES, config_faults, faults, function_faults

from medunsup.selfsupervised.augmentations.presets import Augmentations

FUNCTIONS = {
    "augmentations": {
        "blur": "blur",
        "crop": "crop_and_resize",
        "cutout": "cutout",
        "flip": "flip",
        "intensity": "change_intensity",
        "multi_crop": "multi_crop",
        "noise": "add_noise",
        "presets": "augment",
        "rotation": "rotate",
        "sobel": "sobel",
    },
    "corruptions": {
        name: name
        for name in (
            *("deblur", "genesis", "inpaint", "jigsaw"),
            *("masking", "noise", "patch_swap", "rotation"),
        )
    },
}
CASES = [(folder, file, name) for folder, names in FUNCTIONS.items() for file, name in names.items()]


@pytest.mark.parametrize(("folder", "file", "name"), CASES)
def test_every_function_is_documented(folder, file, name):
    module = import_module(f"medunsup.selfsupervised.{folder}.{file}")
    function = getattr(module, name)
    assert not function_faults(function) + faults(function, EXAMPLES)
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_every_strength_is_documented():
    assert not config_faults(Augmentations)
