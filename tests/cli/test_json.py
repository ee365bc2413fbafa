"""The one JSON object on stdout."""

import io
import json
import math
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cli.shared.json_output import print_json


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_json_holds_numbers_of_six_digits_that_count_and_none_that_json_lacks(value):
    with redirect_stdout(io.StringIO()) as out:
        print_json({"here": [value, {"and": (value,)}], "n": 3})
    told = json.loads(out.getvalue(), parse_constant=pytest.fail)
    first, nested = told["here"]
    assert nested["and"] == [first]
    assert told["n"] == 3
    if math.isfinite(value):
        assert first == pytest.approx(value, rel=6e-6, abs=1e-300)
    else:
        assert first is None


def test_json_does_not_print_what_a_sum_of_fractions_left_behind(capsys):
    print_json({"ml": 781.5260999999999, "p": 0.3076923076923077, "mm3": 1234567.8, "small": 1.23456789e-7})
    assert json.loads(capsys.readouterr().out) == {
        "ml": 781.526,
        "p": 0.307692,
        "mm3": 1234568.0,
        "small": 1.23457e-7,
    }
