"""The page of an evaluation in headless Chromium, on a phone."""

import dataclasses
from pathlib import Path

import pytest
from helpers.chromium_pipe import Page
from helpers.evaluated import evaluation

from medunsup.report.evaluate.page import write_evaluation

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def test_nothing_sticks_out_of_a_phone(browser: str, tmp_path: Path) -> None:
    result = evaluation([0.7, 0.72, 0.68, 0.71, 0.69, 0.73, 0.7], [0.5, 0.51, 0.5, 0.48, 0.52, 0.5, 0.49])
    cases = tuple(dataclasses.replace(case, picture=PIXEL) for case in result.cases)
    with Page(browser) as page:
        page.open(write_evaluation(dataclasses.replace(result, cases=cases), tmp_path / "report.html"))
        page.resize(375, 800)
        assert page.run("document.querySelectorAll('.cases img').length") > 0
        assert page.run("document.documentElement.scrollWidth") <= 375
