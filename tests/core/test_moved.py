"""Module paths of earlier versions lead to where the module lies now."""

import importlib
import sys

import pytest

from medunsup.core.moved import MOVED


@pytest.fixture(autouse=True)
def _forget_old_paths():
    yield
    for name in MOVED:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("old", sorted(MOVED))
def test_an_old_path_gives_the_same_objects_and_says_the_new_one(old):
    with pytest.warns(FutureWarning, match=MOVED[old].replace(".", r"\.")):
        module = importlib.import_module(old)
    new = importlib.import_module(MOVED[old])
    public = {name for name in vars(new) if not name.startswith("_")}
    assert all(getattr(module, name) is getattr(new, name) for name in public)
    assert new.__name__ == MOVED[old]


def test_a_path_that_never_was_stays_unknown():
    with pytest.raises(ModuleNotFoundError, match=r"medunsup\.run\.nothing"):
        importlib.import_module("medunsup.run.nothing")
