"""The page of a probe: its verdict follows from the intervals, and nothing is loaded from outside."""

import re
from dataclasses import replace

import numpy as np
import pytest

from medunsup.cohort.encoders.probed import ProbeFigures, ProbeResult, ProbeVerdict
from medunsup.metrics.bootstrap import Estimate
from medunsup.report.probe import words
from medunsup.report.probe.page import write_page


def verdict(fraction: float, said: str, value: float = 0.02, needed: float = 950.0) -> ProbeVerdict:
    return ProbeVerdict(fraction, 47, "pca", Estimate(value, value - 0.01, value + 0.01, 624), said, needed)


def result(*said: str) -> ProbeResult:
    shares = (0.01, 0.1, 1.0)[: len(said)]
    figures = [
        ProbeFigures(name, probe, share, 47, (0.8, 0.9) if share < 1 else (0.9,), (0.7,) * 2, (0.01,) * 2)
        for share in shares
        for name in ("encoder", "random", "pca")
        for probe in ("linear", "knn")
    ]
    about = {
        "method": "simclr",
        "network": "cnn in 2D",
        "data": "a <b>.npz",
        "temperature": 0.07,
        "pretrained_on": {"train": 12},
    }
    return ProbeResult(
        tuple(verdict(share, one) for share, one in zip(shares, said, strict=True)),
        tuple(figures),
        ("healthy", "ill"),
        {"train": 40, "test": 20},
        about,
        ("Remember -1.",),
        np.random.default_rng(0).normal(size=(20, 2)),
        np.arange(20) % 2,
    )


@pytest.mark.parametrize(
    ("said", "shown", "title"),
    [
        (("better", "better"), "pass", "Better than both baselines"),
        (("better", "no difference seen"), "pass", "Better with 1 % of the labels"),
        (("no difference seen",), "partial", "No difference seen"),
        (("no difference seen", "worse"), "fail", "Worse with 10 % of the labels"),
        (("better", "no difference seen", "worse"), "check", "Better here, worse there"),
    ],
)
def test_the_verdict_puts_all_shares_into_one(said, shown, title):
    tone, told = words.verdict(result(*said))
    assert (tone, told.title) == (shown, title)


def test_no_difference_is_told_with_the_subjects_that_would_show_one():
    assert "no difference seen (would need about 950 test subjects)" in words.sentence(
        verdict(0.1, "no difference seen")
    )
    endless = words.sentence(verdict(0.1, "no difference seen", needed=float("inf")))
    assert "would need more than 100000 test subjects" in endless
    assert "would need" not in words.sentence(verdict(0.1, "better"))


def test_neighbours_that_point_the_other_way_are_told():
    found = result("better", "worse", "no difference seen")
    assert not words.contrary(found)  # in which all figures are alike
    lower = tuple(
        replace(one, auc=(0.7,)) if (one.features, one.probe) == ("encoder", "knn") else one
        for one in found.figures
    )
    (told,) = words.contrary(replace(found, figures=lower))
    assert told.endswith("with 1 % of the labels: AUC 0.700, principal components 0.850.")


def test_the_page_is_whole_and_its_names_are_escaped(tmp_path):
    page = write_page(result("better", "no difference seen"), tmp_path / "page.html").read_text()
    assert "a &lt;b&gt;.npz" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "<script" not in page
    assert page.index("Better with 1 %") < page.index("<svg") < page.index("<table")
    assert page.count('<circle cx="') >= 20
    assert "0.850 ± 0.071" in page


@pytest.mark.parametrize("n", [1, 3])
def test_one_share_is_drawn_as_well_as_three(tmp_path, n):
    page = write_page(result(*["better"] * n), tmp_path / "page.html").read_text()
    assert "nan" not in page.lower().replace("finance", "")


def test_each_chart_names_its_curves(tmp_path):
    page = write_page(result("better", "better"), tmp_path / "report.html").read_text()
    for name in words.NAMES.values():
        assert page.count(f"</svg>{name}</span>") == 2  # linear probe and neighbours
