"""The page of one scan: whole, true, and the same each time."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from medunsup.core.errors import OutputError
from medunsup.core.labels import class_table
from medunsup.core.record import Record, Step
from medunsup.core.volume import Volume
from medunsup.report.segment.page import write_page
from medunsup.tissue.quality.findings import Findings
from medunsup.tissue.result import Fit, Quality, TissueResult, TissueVolume

MEGABYTE = 1_000_000


class References(HTMLParser):
    """Gathers every address a page names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"src", "href", "srcset", "data", "action", "poster"}
        self.addresses += [(tag, value or "") for name, value in attrs if name in names]


def test_the_page_names_no_address_outside_itself(page_text: str) -> None:
    addresses = References(page_text).addresses
    assert len(addresses) > 60
    assert all(address.startswith(("data:", "#")) for _, address in addresses)


def test_no_style_loads_anything(page_text: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", page_text, re.S)
    assert "@import" not in style
    assert "url(" not in style


def test_a_browser_is_told_to_load_nothing(page_text: str) -> None:
    assert "default-src 'none'" in page_text


def test_the_page_stays_below_five_megabytes(page_text: str) -> None:
    assert len(page_text.encode()) < 5 * MEGABYTE


def test_the_first_screen_says_verdict_reason_and_three_volumes(page_text: str, result: TissueResult) -> None:
    first = page_text[page_text.index("<main>") : page_text.index('id="slices"')]
    assert "Check: please look" in first
    assert "The template fits loosely." in first
    assert "Not for clinical diagnosis" in first
    for millilitres in result.volumes_ml.values():
        assert f"{millilitres:,.0f}<" in first


def test_shares_are_of_the_brain_mask_and_that_is_what_they_are_called(page_text: str) -> None:
    shown, _, methods = page_text.partition("What was done")
    assert "Share of the mask" in shown
    assert "intracranial" not in shown.lower()
    assert "intracranial volume only if the mask reaches the bone" in methods


def test_a_step_that_fell_back_is_told(page_text: str) -> None:
    assert "The priors were weakened where the template does not fit." in page_text
    assert "fell back" in page_text


def test_command_version_and_citations_are_there(page_text: str) -> None:
    import medunsup

    assert "medunsup segment sub-01_T1w.nii.gz</code>" in page_text
    assert f"medunsup {medunsup.__version__}" in page_text
    assert "Dempster" in page_text
    assert "Copyright (c) 2021, Niivue" in page_text


def test_the_folder_of_the_scan_is_not_told(page_text: str) -> None:
    assert "DOE_JANE" not in page_text
    assert "sub-01_T1w.nii.gz" in page_text


def test_the_same_result_gives_the_same_bytes(result: TissueResult, tmp_path: Path) -> None:
    first = write_page(result, tmp_path / "a.html", command="x").read_bytes()
    assert write_page(result, tmp_path / "b.html", command="x").read_bytes() == first


def test_text_from_outside_is_escaped(result: TissueResult, tmp_path: Path) -> None:
    evil = replace(result, quality=Quality("fail", ("<script>alert(1)</script>",)))
    text = write_page(evil, tmp_path / "a.html", command="<img src=x onerror=alert(2)>").read_text("utf-8")
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("verdict", ["pass", "check", "fail"])
def test_each_verdict_has_its_words_and_its_sign(result: TissueResult, tmp_path: Path, verdict: str) -> None:
    judged = replace(result, quality=Quality(verdict))  # type: ignore[arg-type]
    text = write_page(judged, tmp_path / "a.html").read_text("utf-8")
    words = {"pass": ("Pass: ", "✓"), "check": ("Check: ", "!"), "fail": ("Fail: ", "✕")}
    assert all(word in text for word in words[verdict])


def test_a_pass_that_left_checks_out_does_not_look_like_a_pass(result: TissueResult, tmp_path: Path) -> None:
    findings = Findings(unchecked=["ghosts and motion (known for T1w only)"])
    assert findings.verdict().verdict == "partial"
    judged = replace(result, quality=findings.verdict())
    text = write_page(judged, tmp_path / "a.html").read_text("utf-8")
    assert 'class="verdict partial"' in text
    assert "Partial: checked in part" in text
    assert "Pass:" not in text
    assert "ghosts and motion" in text


@pytest.mark.parametrize("n_classes", [2, 5])
def test_any_number_of_classes_has_a_page(result: TissueResult, tmp_path: Path, n_classes: int) -> None:
    labels = result.labels.like(
        (np.digitize(result.image.data, np.linspace(10, 90, n_classes - 1)) + 1).astype(np.uint8)
    )
    labels = labels.like(np.where(result.brain_mask.data, labels.data, 0).astype(np.uint8))
    table = class_table(n_classes)
    classes = replace(
        result,
        labels=labels,
        tissues=tuple(TissueVolume(label, 2e5, 2e5, 1 / n_classes) for label in table),
        fractions={label.abbreviation: result.uncertainty for label in table},
    )
    text = write_page(classes, tmp_path / "a.html").read_text("utf-8")
    assert all(label.name in text for label in table)


def test_a_method_without_a_mixture_has_a_page(result: TissueResult, tmp_path: Path) -> None:
    bare = replace(result, fit=Fit("other", (), (), True, (), ()))
    text = write_page(bare, tmp_path / "a.html").read_text("utf-8")
    assert "fits no mixture" in text


def test_several_contrasts_have_a_page(result: TissueResult, tmp_path: Path) -> None:
    pairs = tuple(replace(c, mean=(*c.mean, 1.0), sd=(*c.sd, 0.5)) for c in result.fit.components)
    text = write_page(
        replace(result, fit=replace(result.fit, components=pairs)), tmp_path / "a.html"
    ).read_text("utf-8")
    assert "fitted Gaussians" in text


def test_a_scan_given_as_an_array_has_a_page(result: TissueResult, tmp_path: Path) -> None:
    lone = replace(result, image=replace(result.image, source=None))
    assert "given as an array" in write_page(lone, tmp_path / "a.html").read_text("utf-8")


def test_an_empty_mask_has_a_page_too(result: TissueResult, tmp_path: Path) -> None:
    nothing = result.brain_mask.like(np.zeros(result.image.shape, bool))
    failed = replace(result, brain_mask=nothing, quality=Quality("fail", ("No brain was found.",)))
    assert "No brain was found." in write_page(failed, tmp_path / "a.html").read_text("utf-8")


def test_the_proposed_number_of_classes_shows_its_curve(result: TissueResult, tmp_path: Path) -> None:
    curves = {
        "k": (2, 3, 4),
        "bic": (9.0, 4.0, 5.0),
        "inertia": (9.0, 3.0, 2.0),
        "chosen": 3,
        "rule": "clear minimum of the BIC",
    }
    text = write_page(
        replace(result, fit=replace(result.fit, model_selection=curves)), tmp_path / "a.html"
    ).read_text("utf-8")
    assert "the 3 that were chosen (clear minimum of the BIC)" in text
    assert "spread within k-means clusters" in text.lower()
    assert "Schwarz" in text


def test_a_page_that_cannot_be_written_is_an_error_that_names_it(
    result: TissueResult, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_page(result, tmp_path / "file" / "report.html")


@pytest.mark.slow
def test_even_labels_of_pure_noise_fit_the_page(thick: TissueResult, tmp_path: Path) -> None:
    """Noise is what no picture format makes small: here 30 slices would take 4 MB."""
    draw = np.random.default_rng(0)
    shape = (200, 220, 200)
    image = Volume(draw.random(shape, dtype=np.float32), np.diag([0.8, 0.8, 0.8, 1.0]))
    noisy = replace(
        thick,
        image=image,
        brain_mask=image.like(np.ones(shape, bool), "mask"),
        labels=image.like(draw.integers(1, 4, shape, dtype=np.uint8), "label"),
        uncertainty=image.like(draw.random(shape, dtype=np.float32), "score"),
    )
    assert write_page(noisy, tmp_path / "a.html").stat().st_size < 5 * MEGABYTE


def test_every_contrast_stands_below_the_title_with_the_voxels(result: TissueResult, tmp_path: Path) -> None:
    def subtitle(*steps: Step) -> str:
        text = write_page(replace(result, record=Record(list(steps))), tmp_path / "page.html").read_text()
        return re.search(r'<p class="subtitle">(.*?)</p>', text).group(1)

    own = Step("contrast", findings={"contrast": "T1w"})
    beside = Step("contrasts", parameters={"given": ["FLAIR", "T2w"]})
    assert re.fullmatch(r"T1w · [\d.]+ × [\d.]+ × [\d.]+ mm", subtitle(own))
    assert re.fullmatch(r"T1w \+ FLAIR \+ T2w · [\d.]+ × [\d.]+ × [\d.]+ mm", subtitle(beside, own))


def test_negative_numbers_have_a_minus_sign_everywhere_and_names_keep_their_hyphens(
    result: TissueResult, tmp_path: Path
) -> None:
    steps = [
        Step("fit", findings={"gain": -0.25, "many": [-1500.0, -1e-5]}, warnings=["Off by -3 mm in sub-01."])
    ]
    quality = Quality("check", ("It lies at -12.5 mm (-.5 of it) on 2020-01-31.",), {"wm_less_gm": -0.06})
    fit = replace(result.fit, log_likelihood=(-3.5, -2.5, -1.5))
    text = write_page(
        replace(result, record=Record(steps), quality=quality, fit=fit), tmp_path / "page.html"
    ).read_text()
    shown = html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.S))
    for words in (
        "at −12.5 mm (−.5 of it) on 2020-01-31",
        "−3 mm in sub-01",
        "−0.25",
        "−1,500",
        "−1e−05",
        "−0.06",
    ):
        assert words in shown
    assert not re.findall(r"(?<![\w.-])-\.?\d", shown)
