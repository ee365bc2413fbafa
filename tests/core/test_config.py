"""A wrong value is told with what would be right."""

import pytest

from medunsup.core.errors import UsageError
from medunsup.workflows.segment.settings import SegmentSettings


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"tissues": 0}, "tissues: should be 'auto' or a whole number from 2 to 12, got 0"),
        ({"tissues": "many"}, "tissues: should be 'auto' or a whole number from 2 to 12, got 'many'"),
        ({"seed": -1}, "seed: should be a whole number of 0 or more, got -1"),
        ({"brain": "skull"}, "brain: should be 'auto', 'atlas', 'stripped' or 'deepbet', got 'skull'"),
        ({"volume": -2}, "volume: should be a whole number of 0 or more, got -2"),
    ],
)
def test_what_a_key_takes_is_said_in_words(values, told):
    with pytest.raises(UsageError) as error:
        SegmentSettings.parse(values, where="segment")
    assert str(error.value) == f"segment: {told}"
