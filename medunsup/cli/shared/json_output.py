"""The one JSON object that --json promises on stdout."""

import json
import math
from typing import Any

import typer

DIGITS = 6


def print_json(value: Any) -> None:
    """Print the one object that --json promises; fractions have six digits that count."""
    typer.echo(json.dumps(_rounded(value), indent=2, ensure_ascii=False))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None  # JSON has no such number
    before_the_point = math.floor(math.log10(abs(value))) + 1 if value else 0
    return round(value, max(0, DIGITS - before_the_point))
