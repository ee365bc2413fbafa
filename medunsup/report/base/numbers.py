"""One way to write the numbers that page, table and terminal share."""

import re

MINUS = "−"
HYPHEN = re.compile(r"(?<![\w.-])-(?=\.?\d)")  # of a number, not of sub-01, 2020-01-31 or an option


def minus(text: str) -> str:
    """Write the minus sign of each number in a sentence as all pages do."""
    return HYPHEN.sub(MINUS, text)


def significant(value: float, digits: int) -> str:
    """Write a number with so many significant digits, as on all pages."""
    return f"{value:.{digits}g}".replace("-", MINUS)


def p_text(p_value: float) -> str:
    """Write a p-value with two significant digits: 0.31, 0.024, 0.0033; 1 from 0.995 on."""
    if p_value >= 0.995:
        return "1"
    digits = 2 if p_value >= 0.0995 else 3 if p_value >= 0.00995 else 4
    return f"{p_value:.{digits}f}"
