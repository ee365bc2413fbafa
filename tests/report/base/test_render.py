"""Sentences on a page: escaped, with minus signs, options in one piece."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from medunsup.report.base.numbers import minus
from medunsup.report.base.render import prose


def test_an_option_is_kept_in_one_piece() -> None:
    assert prose("Ask for 0.167 (--alpha 0.167).") == (
        'Ask for 0.167 (<span class="option">--alpha</span> 0.167).'
    )
    assert '<span class="option">--learn-prior</span>' in prose("give --learn-prior")


@given(st.text(alphabet="a-<>&\"' 1."))
def test_prose_adds_nothing_but_the_spans_of_options(text: str) -> None:
    assert re.sub(r'<span class="option">|</span>', "", prose(text)) == escape(minus(text))
