"""What `medunsup` gives away is what it says, whatever else was imported before."""

from importlib.util import find_spec

import pytest

import medunsup


@pytest.mark.parametrize("name", [name for name in medunsup.__all__ if not name.startswith("_")])
def test_no_module_can_take_the_place_of_a_public_name(name):
    assert find_spec(f"medunsup.{name}") is None
    assert callable(getattr(medunsup, name))


def test_all_public_names_are_offered_for_completion():
    assert set(medunsup.__all__) <= set(dir(medunsup))
