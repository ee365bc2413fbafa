"""The page of one scan's anomalies opened from disk in headless Chromium: what a reader sees."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.anomaly_results import FLAG, found_on_the_left
from helpers.chromium_pipe import Page, choose
from helpers.phantom import Anatomy

from medunsup.report.detect.page import write_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CANVAS = "#viewer-canvas"
HERO = "#slices .tile"


@pytest.fixture(scope="module")
def opened(browser: str, brain: Anatomy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of the phantom with a finding on its left, its viewer started."""
    page = write_page(found_on_the_left(brain), tmp_path_factory.mktemp("browser") / "report.html")
    with Page(browser) as window:
        window.open(page)
        window.run(f"document.querySelector('{CANVAS}').scrollIntoView()")
        window.wait_for(f"document.querySelector('{CANVAS}').dataset.state !== undefined")
        yield window


def coloured(picture: np.ndarray) -> np.ndarray:
    """Which pixels are neither black, grey nor white."""
    return np.ptp(picture.astype(int), axis=-1) > 60


def test_the_viewer_starts_without_an_error_and_loads_nothing(opened: Page) -> None:
    assert opened.run(f"document.querySelector('{CANVAS}').dataset.state") == "ready"
    assert opened.errors == []
    outside = [url for url in opened.requests if not url.startswith(("data:", "blob:"))]
    assert len(outside) == 1
    assert outside[0].startswith("file://")


def test_the_viewer_draws_the_place_that_it_names_before_anything_is_touched(opened: Page) -> None:
    at_start = opened.picture(CANVAS).astype(int)
    choose(opened, "viewer-view", "axial")
    choose(opened, "viewer-view", "multi")
    assert (abs(opened.picture(CANVAS) - at_start).max(axis=-1) > 30).mean() < 0.001


def test_the_finding_on_the_left_is_drawn_at_the_right_of_the_picture(opened: Page) -> None:
    shown = coloured(opened.picture(HERO))
    assert shown.sum() > 100
    assert np.nonzero(shown)[1].mean() > 0.6 * shown.shape[1]


@pytest.mark.parametrize("overlay", ["rarity", "findings"])
def test_the_viewer_draws_the_finding_on_the_same_side(opened: Page, overlay: str) -> None:
    choose(opened, "viewer-view", "axial")
    choose(opened, "viewer-map", overlay)
    picture = opened.picture(CANVAS).astype(int)
    crosshair = (picture[..., 2] > picture[..., 1] + 20) & (picture[..., 0] > picture[..., 1] + 20)
    shown = coloured(picture) & ~crosshair
    brain = picture.max(axis=-1) > 60
    assert shown.sum() > 50
    assert np.median(np.nonzero(shown)[1]) > np.median(np.nonzero(brain)[1]) + 20


def test_the_viewer_starts_at_the_finding_and_tells_how_rare_it_is(opened: Page) -> None:
    told = opened.run("document.getElementById('viewer-place').value")
    assert "x −" in told
    assert "· finding · −log10(p) 4." in told
    assert "or more" not in told


def test_the_viewer_says_that_its_scale_ends(browser: str, brain: Anatomy, tmp_path: Path) -> None:
    found = found_on_the_left(brain)
    rare = found.calibrated.like(np.where(found.mask.data, 6.4, 0).astype(np.float32), "score")
    with Page(browser) as page:
        page.open(write_page(replace(found, calibrated=rare), tmp_path / "report.html"))
        page.run(f"document.querySelector('{CANVAS}').scrollIntoView()")
        page.wait_for(f"document.querySelector('{CANVAS}').dataset.state !== undefined")
        assert "−log10(p) 4.9 or more" in page.run("document.getElementById('viewer-place').value")


def test_only_a_note_stands_in_a_box_not_the_captions_of_the_numbers(
    browser: str, brain: Anatomy, tmp_path: Path
) -> None:
    noted = replace(found_on_the_left(brain), note="A demo.")
    with Page(browser) as page:
        page.open(write_page(noted, tmp_path / "report.html"))
        width = "getComputedStyle(document.querySelector('{}')).borderLeftWidth"
        assert page.run(width.format("p.note")) == "6px"
        assert page.run(width.format(".headline .note")) == "0px"


def test_the_map_can_be_taken_away(opened: Page) -> None:
    pictures = {}
    for way in ("both", "lines", "nothing"):
        opened.run(f"document.getElementById('draw-{way}').click()")
        pictures[way] = int(coloured(opened.picture(HERO)).sum())
    opened.run("document.getElementById('draw-both').click()")
    assert pictures["nothing"] == 0 < pictures["lines"] < pictures["both"]


def test_a_flagged_scan_hides_its_map_until_asked(browser: str, brain: Anatomy, tmp_path: Path) -> None:
    flagged = replace(found_on_the_left(brain), flags=(FLAG,))
    with Page(browser) as page:
        page.open(write_page(flagged, tmp_path / "report.html"))
        hidden = int(coloured(page.picture(HERO)).sum())
        page.run("document.getElementById('draw-both').click()")
        assert int(coloured(page.picture(HERO)).sum()) > hidden


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_sticks_out_of_the_window(opened: Page, width: int) -> None:
    opened.resize(width, 900)
    assert opened.run("document.documentElement.scrollWidth") <= width
    opened.resize(1200, 900)


def test_dark_mode_is_dark(opened: Page) -> None:
    opened.prefer(prefers_color_scheme="dark")
    lightness = float(np.median(opened.picture("header")))
    opened.prefer(prefers_color_scheme="light")
    assert lightness < 40
