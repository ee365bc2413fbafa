"""One way to write the numbers that page, table and terminal share."""


def p_text(p_value: float) -> str:
    """Write a p-value with two significant digits: 0.31, 0.024, 0.0033; 1 from 0.995 on."""
    if p_value >= 0.995:
        return "1"
    digits = 2 if p_value >= 0.0995 else 3 if p_value >= 0.00995 else 4
    return f"{p_value:.{digits}f}"
