"""The page of an evaluation in headless Chromium, on a phone."""

from pathlib import Path

import numpy as np
import pytest
from helpers.chromium_pipe import Page
from helpers.evaluated import evaluation

from medunsup.report.base.slices import AXIAL
from medunsup.report.evaluate.case_slices import CaseSlice, write_slices
from medunsup.report.evaluate.page import write_evaluation

pytestmark = [pytest.mark.browser, pytest.mark.slow]
GREY = np.full((40, 60), 90, np.uint8)


def test_nothing_sticks_out_of_a_phone(browser: str, tmp_path: Path) -> None:
    result = evaluation([0.7, 0.72, 0.68, 0.71, 0.69, 0.73, 0.7], [0.5, 0.51, 0.5, 0.48, 0.52, 0.5, 0.49])
    write_slices([CaseSlice(AXIAL, 0.0, (60.0, 40.0), GREY, *[0 * GREY] * 3)], tmp_path / "case.npz")
    slices = [tmp_path / "case.npz"] * len(result.cases)
    with Page(browser) as page:
        page.open(write_evaluation(result, tmp_path / "report.html", slices))
        page.resize(375, 800)
        assert page.run("document.querySelectorAll('.cases img').length") > 0
        assert page.run("document.documentElement.scrollWidth") <= 375
