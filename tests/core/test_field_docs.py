"""Configs say in words what they take."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from medunsup.core.config import Config
from medunsup.core.field_docs import field_docs


class Inherited(Config):
    """Parameters that others share."""

    seed: int = Field(0, ge=0, description="seed of every random choice")


class Sharpened(Inherited):
    """Parameters of a method.

    With more to say.
    """

    width_mm: float = Field(2.5, gt=0, le=10, description="width of the window in mm")


@pytest.mark.parametrize(
    ("annotation", "bounds", "kind"),
    [
        (int, {"ge": 1, "le": 9}, "int, from 1 to 9"),
        (float, {"gt": 0, "lt": 1}, "float, above 0, below 1"),
        (float, {"ge": 0, "lt": 1}, "float, 0 or more, below 1"),
        (float, {"gt": 0}, "float, above 0"),
        (float, {"le": 1e-3}, "float, at most 0.001"),
        (bool, {}, "bool"),
        (float | None, {"gt": 0, "le": 1}, "float or None, above 0, at most 1"),
        (Literal["a", "b"], {}, "{'a', 'b'}"),
        (Literal["auto"] | Annotated[int, Field(ge=2)], {}, "{'auto'} or int 2 or more"),
        (tuple[str, ...], {}, "tuple of str"),
        (dict[str, int], {}, "dict"),
    ],
)
def test_type_and_bounds_are_those_that_are_checked(annotation, bounds, kind):
    class Model(BaseModel):
        x: annotation = Field(description="what it does", **bounds)  # type: ignore[valid-type]

    (told,) = field_docs(Model.model_fields)
    assert (told.name, told.kind, told.default) == ("x", kind, "")
    assert told.description == "What it does."


def test_help_on_a_config_lists_its_own_and_inherited_parameters():
    assert Sharpened.__doc__.startswith("Parameters of a method.\n\nWith more to say.\n\nParameters\n")
    assert "seed : int, 0 or more, default 0\n    Seed of every random choice." in Sharpened.__doc__
    assert "width_mm : float, above 0, at most 10, default 2.5\n    Width of" in Sharpened.__doc__
    assert Inherited.__doc__.count("\n----------\n") == 1
