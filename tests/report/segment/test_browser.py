"""Both pages opened from disk in headless Chromium: what a reader sees."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.chromium_pipe import Page, choose

from medunsup.report.segment.page import write_page
from medunsup.tissue.result import TissueResult
from medunsup.workflows.segment.group import write_group

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CANVAS = "#viewer-canvas"


@pytest.fixture(scope="module")
def opened(browser: str, marked: TissueResult, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of the phantom with the bright block on its right, its viewer started."""
    page = write_page(marked, tmp_path_factory.mktemp("browser") / "report.html")
    with Page(browser) as window:
        window.open(page)
        window.run(f"document.querySelector('{CANVAS}').scrollIntoView()")
        window.wait_for(f"document.querySelector('{CANVAS}').dataset.state !== undefined")
        yield window


def set_opacity(page: Page, percent: int) -> None:
    page.run(
        f"(() => {{ const slider = document.getElementById('viewer-opacity'); slider.value = {percent};"
        "slider.dispatchEvent(new Event('input')) })()"
    )


def colourfulness(picture: np.ndarray) -> float:
    return float((picture.max(axis=-1).astype(int) - picture.min(axis=-1)).mean())


def test_the_viewer_starts_without_an_error(opened: Page) -> None:
    assert opened.run(f"document.querySelector('{CANVAS}').dataset.state") == "ready"
    assert opened.errors == []


def test_the_page_asks_for_nothing_but_itself(opened: Page) -> None:
    outside = [url for url in opened.requests if not url.startswith(("data:", "blob:"))]
    assert len(outside) == 1
    assert outside[0].startswith("file://")


def test_the_viewer_draws_the_brain(opened: Page) -> None:
    set_opacity(opened, 0)
    grey = opened.picture(CANVAS)
    assert 0.05 < (grey.max(axis=-1) > 60).mean() < 0.9
    assert colourfulness(grey) < 3


def test_the_opacity_slider_colours_the_brain(opened: Page) -> None:
    set_opacity(opened, 0)
    without = opened.picture(CANVAS)
    set_opacity(opened, 80)
    with_tissues = opened.picture(CANVAS)
    assert colourfulness(with_tissues) > colourfulness(without) + 10
    assert opened.run("document.getElementById('viewer-opacity-value').value") == "80 %"


def test_the_viewer_shows_the_uncertainty_instead(opened: Page) -> None:
    set_opacity(opened, 80)
    tissues = opened.picture(CANVAS)
    choose(opened, "viewer-map", "uncertainty")
    uncertainty = opened.picture(CANVAS)
    choose(opened, "viewer-map", "tissues")
    assert (np.abs(uncertainty.astype(int) - tissues).max(axis=-1) > 30).mean() > 0.05


def test_the_viewer_names_the_place_under_the_crosshair(opened: Page) -> None:
    assert "mm · " in opened.run("document.getElementById('viewer-place').value")


def test_the_patients_right_is_at_the_left_of_the_viewer(
    browser: str, only_the_mark: TissueResult, tmp_path: Path
) -> None:
    """The block on the right is all that is bright, and the axial view fills the canvas."""
    with Page(browser) as page:
        page.open(write_page(only_the_mark, tmp_path / "report.html"))
        page.run(f"document.querySelector('{CANVAS}').scrollIntoView()")
        page.wait_for(f"document.querySelector('{CANVAS}').dataset.state === 'ready'")
        choose(page, "viewer-view", "axial")
        set_opacity(page, 100)
        coloured = page.picture(CANVAS).astype(int)
        set_opacity(page, 0)
        bright = page.picture(CANVAS).min(axis=-1) > 245
    brain = np.nonzero(np.ptp(coloured, axis=-1) > 40)[1]
    block = np.nonzero(bright[20:-20, 20:-20])[1] + 20  # the canvas has white corners
    assert block.size > 100
    assert np.median(block) < np.median(brain) - 20


def test_the_slices_switch_from_outlines_to_colour(opened: Page) -> None:
    tile = "#slices .tile:nth-child(5)"
    pictures = {}
    for way in ("outline", "fill", "none"):
        opened.run(f"document.getElementById('draw-{way}').click()")
        pictures[way] = colourfulness(opened.picture(tile))
    opened.run("document.getElementById('draw-outline').click()")
    assert pictures["none"] < 1
    assert pictures["outline"] > 3
    assert pictures["fill"] > pictures["outline"]


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_sticks_out_of_the_window(opened: Page, width: int) -> None:
    opened.resize(width, 900)
    assert opened.run("document.documentElement.scrollWidth") <= width
    opened.resize(1200, 900)


def test_dark_mode_is_dark_and_readable(opened: Page) -> None:
    lightness = {}
    for scheme in ("light", "dark"):
        opened.prefer(prefers_color_scheme=scheme)
        lightness[scheme] = float(np.median(opened.picture("header")))
    opened.prefer(prefers_color_scheme="light")
    assert lightness["light"] > 240
    assert lightness["dark"] < 40


def test_a_click_on_a_heading_sorts_the_group(browser: str, tmp_path: Path) -> None:
    for name, gm in (("sub-1", 5e5), ("sub-2", 7e5), ("sub-3", 6e5)):
        volumes = {"GM": gm, "WM": 4e5, "CSF": 3e5}
        facts = {
            "Medunsup": {"Inputs": [{"Role": "scan", "Name": f"{name}_T1w.nii.gz"}]},
            "Volumes": {tissue: {"FromFractionsMM3": volume} for tissue, volume in volumes.items()},
            "BrainMaskMM3": 1.5e6,
            "Quality": {"Verdict": "pass", "Reasons": []},
        }
        (tmp_path / f"{name}_dseg.json").write_text(json.dumps(facts))
    order = "Array.from(document.querySelectorAll('#scans tbody th')).map((cell) => cell.innerText).join()"
    with Page(browser) as page:
        page.open(write_group(tmp_path))
        assert page.run(order) == "sub-1,sub-2,sub-3"
        page.run("document.querySelectorAll('#scans th button')[2].click()")
        assert page.run(order) == "sub-1,sub-3,sub-2"
        page.run("document.querySelectorAll('#scans th button')[2].click()")
        assert page.run(order) == "sub-2,sub-3,sub-1"
        assert page.errors == []
