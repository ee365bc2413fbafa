"""Fill a template of this folder."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from medunsup.core.hints import both
from medunsup.report.base.numbers import MINUS, minus, significant

TEMPLATES = files("medunsup.report") / "templates"
OPTION = re.compile(r"(?<![\w-])--\w[\w-]*")


def render(template: str, **facts: Any) -> str:
    """Return the text of `template` with `facts`; values are escaped, missing ones are an error."""
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {"asset": _asset, "both": both}
    environment.filters |= {"ml": _ml, "percent": _percent, "number": number, "minus": minus, "prose": prose}
    return environment


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _asset(name: str) -> Markup:
    """Text of one of our own style or script files, put into the page as it is."""
    return Markup(_read(name))


def _ml(volume_mm3: float) -> str:
    return f"{volume_mm3 / 1000:,.0f}" if volume_mm3 >= 99_500 else f"{volume_mm3 / 1000:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def prose(text: str) -> Markup:
    """Write a sentence: minus signs as on all pages, the name of an option never broken at its hyphens."""
    return Markup(OPTION.sub(r'<span class="option">\g<0></span>', str(escape(minus(text)))))


def number(value: Any) -> str:
    """Round for reading: three significant digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    is_long = isinstance(value, int) or abs(value) >= 1000
    return f"{value:,.0f}".replace("-", MINUS) if is_long else significant(value, 3)
