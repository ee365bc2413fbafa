"""What `medunsup` gives away is what it says, whatever else was imported before."""

from importlib.util import find_spec

import pytest

import medunsup


@pytest.mark.parametrize("name", sorted(set(medunsup.__all__) - {"__version__", "errors"}))
def test_no_module_can_take_the_place_of_a_public_name(name):
    assert find_spec(f"medunsup.{name}") is None
    assert callable(getattr(medunsup, name))


def test_all_public_names_are_offered_for_completion():
    assert set(medunsup.__all__) <= set(dir(medunsup))


def test_errors_are_a_module_of_their_own_that_comes_with_the_package():
    assert issubclass(medunsup.errors.GeometryError, medunsup.MedunsupError)
