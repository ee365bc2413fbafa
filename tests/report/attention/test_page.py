"""The page of where an encoder looks: all heads that fit, the patient's left at the right of the picture."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medunsup.cohort.encoders.attended import AttentionResult
from medunsup.core.record import Record
from medunsup.report.attention.page import LIMITS, MOST_SHOWN, write_page


@pytest.fixture
def looked(small_brain) -> AttentionResult:
    """A scan and a map that is strong in the left half alone, of as many heads as asked for."""
    image, brain = small_brain.image(), small_brain.mask.data
    left = np.where(brain, 0.0, 0).astype(np.float32)
    left[: brain.shape[0] // 2] = brain[: brain.shape[0] // 2]  # RAS+: the first indices are the left
    return AttentionResult(
        image=image,
        brain=small_brain.mask,
        maps={"mean": image.like(left, kind="score")},
        kind="attention",
        scales={"mean": 2.5},
        contrast="T1w",
        about={"folder": "a <b>", "method": "dino", "network": "vit in 2D"},
        record=Record(),
        remarks=("Remember -1.",),
    )


def with_heads(result: AttentionResult, n: int) -> AttentionResult:
    names = [f"head{k + 1}" for k in range(n)]
    maps = {**result.maps, **dict.fromkeys(names, result.maps["mean"])}
    return replace(result, maps=maps, scales=dict.fromkeys(maps, 2.5))


def test_the_patients_left_is_at_the_right_of_axial_and_coronal_slices(looked, tmp_path):
    page = write_page(looked, tmp_path / "page.html").read_text()
    for plane in ("axial", "coronal"):
        tile = re.search(rf'<g id="own-mean-{plane}">(.*?)</g>', page, re.DOTALL)[1]
        fill = re.search(r'class="fill" href="data:image/png;base64,([^"]+)"', tile)[1]
        opaque = np.asarray(Image.open(io.BytesIO(base64.b64decode(fill))).convert("RGBA"))[..., 3] > 100
        middle = opaque.shape[1] // 2
        assert opaque[:, middle + 1 :].any()
        assert not opaque[:, : middle - 1].any()


def test_all_heads_are_shown_as_long_as_the_page_stays_small(looked, tmp_path):
    few = write_page(with_heads(looked, 12), tmp_path / "few.html").read_text()
    assert [f"Head {n + 1}</b>" in few for n in range(12)] == [True] * 12
    assert "more heads" not in few
    many = write_page(with_heads(looked, 64), tmp_path / "many.html").read_text()
    assert f"{65 - MOST_SHOWN} more heads" in many
    assert len(many) < 5_000_000


def test_the_page_says_what_maps_are_not_and_loads_nothing(looked, tmp_path):
    page = write_page(looked, tmp_path / "page.html", command="medunsup attention a b").read_text()
    assert all(limit in page for limit in LIMITS)
    assert "a &lt;b&gt;" in page
    assert "Remember −1." in page
    assert "2.5 × uniform attention" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    keys = re.findall(r'<g id="([^"]+)"', page)
    assert len(keys) == len(set(keys))
    assert write_page(looked, tmp_path / "again.html", command="medunsup attention a b").read_text() == page
