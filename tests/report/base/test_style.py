"""The page can be read: by day and by night, and by those who see few colours."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from medunsup.core.labels import TISSUES

READABLE, VISIBLE = 4.5, 3.0  # WCAG 2.2, level AA: text, and parts of drawings


def luminance(rgb: tuple[int, ...]) -> float:
    share = np.array(rgb) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def colours(scheme: str) -> dict[str, tuple[int, ...]]:
    style = (files("medunsup.report") / "templates" / "page.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.S)[:2]
    text = blocks[0] if scheme == "light" else blocks[0] + blocks[1]
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{3,6})", text)
    full = {
        name: value if len(value) == 6 else "".join(2 * letter for letter in value) for name, value in found
    }
    return {name: tuple(bytes.fromhex(value)) for name, value in full.items()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str) -> None:
    named = colours(scheme)
    pairs = [("ink", "paper"), ("soft", "paper"), ("accent", "paper"), ("ink", "panel")]
    for verdict in ("pass", "check", "fail"):
        wash = f"{verdict}-wash"
        pairs += [(verdict, wash), ("ink", wash), ("soft", wash)]
    low = {
        pair: round(value, 2) for pair in pairs if (value := contrast(*(named[n] for n in pair))) < READABLE
    }
    assert not low


def test_tissues_stand_out_from_the_black_of_the_pictures() -> None:
    assert all(contrast(label.rgb, (0, 0, 0)) > VISIBLE for label in TISSUES)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_tissues_stay_apart_without_red_or_green_cones(kind: str) -> None:
    """Machado, Oliveira and Fernandes (2009), full severity, on linear RGB."""
    blind = {
        "protan": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deutan": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    }[kind]
    seen = [
        np.clip(np.array(blind) @ (np.array(label.rgb) / 255) ** 2.2, 0, 1) ** (1 / 2.2) for label in TISSUES
    ]
    assert all(np.linalg.norm(first - second) > 0.2 for first, second in combinations(seen, 2))
