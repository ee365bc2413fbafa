"""The page of one scan's anomalies: flags first, left on its side, no word without ground."""

import base64
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from helpers.anomaly_results import FLAG, finding_at, found_on_the_left, left_block, nothing_found, scored
from helpers.phantom import Anatomy, make_anatomy
from PIL import Image

from medunsup.anomaly.result import AnomalyResult
from medunsup.core.volume import Volume
from medunsup.report.base.heatmap import CEILING, heat_levels, heat_opacity, heat_palette
from medunsup.report.base.slices import PLANES
from medunsup.report.detect.page import write_page
from medunsup.report.detect.slices import AnomalyCutter, baseline_tiles, comparisons, overview, places
from medunsup.report.detect.thumbnail import thumbnail
from medunsup.report.detect.words import p_words, rank_words, rate_words, verdict

MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def found(brain: Anatomy) -> AnomalyResult:
    return found_on_the_left(brain)


@pytest.fixture(scope="session")
def text(found: AnomalyResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(found, tmp_path_factory.mktemp("page"), command="medunsup detect sub-07_T1w.nii.gz")


def page_of(result: AnomalyResult, folder: Path, command: str = "") -> str:
    return write_page(result, folder / "page.html", command=command).read_text("utf-8")


def first_screen(text: str) -> str:
    return text[text.index("<main>") : text.index("</section>")]


def opacity_of(address: str) -> np.ndarray:
    picture = Image.open(BytesIO(base64.b64decode(address.split(",", 1)[1])))
    return np.asarray(picture.convert("RGBA"))[..., 3]


def middle(shown: np.ndarray) -> tuple[float, float]:
    """Middle of what is drawn, as shares of the width and height."""
    rows, columns = np.nonzero(shown)
    return (columns.mean() + 0.5) / shown.shape[1], (rows.mean() + 0.5) / shown.shape[0]


def test_finding_on_the_left_shows_on_the_side_of_the_letter_l(found: AnomalyResult) -> None:
    (place,) = places(found, 5)
    axial, coronal, sagittal = place.tiles
    for tile in (axial, coronal):
        assert tile.plane.right == "L"
        across, _ = middle(opacity_of(tile.fill) > 100)
        assert across > 0.6
    assert "x = −" in sagittal.coordinate


def test_map_outline_and_cross_lie_on_one_another(found: AnomalyResult) -> None:
    for tile in places(found, 5)[0].tiles:
        assert tile.cross is not None
        cross = tile.cross[0] / tile.width_mm, tile.cross[1] / tile.height_mm
        assert middle(opacity_of(tile.fill) > 100) == pytest.approx(cross, abs=0.01)
        assert middle(opacity_of(tile.outline)) == pytest.approx(cross, abs=0.02)


def test_every_finding_shown_is_cut_through_its_own_peak(found: AnomalyResult, tmp_path: Path) -> None:
    moved = tuple(slice(part.start + 5, part.stop + 5) for part in left_block(found.brain.data))
    both = replace(found, findings=(*found.findings, finding_at(found.image, moved, 2)))
    first, second = places(both, 5)
    assert [one.key for one in first.tiles] != [one.key for one in second.tiles]
    assert len(places(both, 1)) == 1
    text = page_of(both, tmp_path)
    assert text.index("Finding 1 is shown at the top") < text.index("<h3>Finding 2")


def test_without_findings_the_highest_voxel_is_shown(found: AnomalyResult) -> None:
    (place,) = places(nothing_found(found), 5)
    block = left_block(found.brain.data)
    cutter = AnomalyCutter(found)
    x, y, z = found.image.affine[:3, :3] @ [part.start for part in block] + found.image.affine[:3, 3]
    index = cutter.index_of((x, y, z))
    assert place.finding is None
    assert [tile.key for tile in place.tiles] == [f"{p.name}-{index[p.axis]}" for p in PLANES]


def test_scan_pseudo_healthy_and_raw_score_show_the_same_slices(found: AnomalyResult) -> None:
    for row in comparisons(found):
        assert row.healthy is not None
        assert row.scan.coordinate == row.healthy.coordinate == row.raw.coordinate


def test_block_is_brighter_in_the_scan_than_in_the_pseudo_healthy(found: AnomalyResult) -> None:
    axial = comparisons(found)[0]
    assert axial.healthy is not None
    scan, look = (np.asarray(Image.open(_bytes(tile.picture)), float) for tile in (axial.scan, axial.healthy))
    across, _ = middle(scan - look > 20)
    assert across > 0.6


def _bytes(address: str) -> BytesIO:
    return BytesIO(base64.b64decode(address.split(",", 1)[1]))


def test_brain_is_outlined_in_the_overview(found: AnomalyResult) -> None:
    tile = overview(found, 3)[1]
    drawn = opacity_of(tile.outline) > 0
    assert np.ptp(np.nonzero(drawn)[1]) > 0.6 * drawn.shape[1]


def test_baselines_that_make_no_map_have_no_picture(found: AnomalyResult, text: str) -> None:
    drawn = {one.name: tile is not None for one, tile in baseline_tiles(found)}
    assert drawn == {"rank_high": True, "pca_lof": False}
    assert "Local outlier factor" in text
    assert "makes no map" in text


def test_rarer_is_more_opaque_and_lighter() -> None:
    levels = heat_levels(np.array([0.0, 1.0, 2.0, 3.0, CEILING, 9.0], np.float32))
    assert levels[-1] == levels[-2]
    opacity = heat_opacity()[levels].astype(int)
    assert opacity[0] == 0
    assert (np.diff(opacity) >= 0).all()
    lightness = heat_palette()[levels[1:-1]] @ [0.21, 0.72, 0.07]
    assert (np.diff(lightness) > 0).all()


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (41.0, "None of 40 healthy scans scored as much, so p = 0.024"),
        (38.0, "3 of 40 healthy scans scored as much or more, so p = 0.098"),
        (37.5, "3 of 40 healthy scans scored as much or more, so p = 0.098"),
        (0.0, "40 of 40 healthy scans scored as much or more, so p = 1"),
    ],
)
def test_p_value_is_said_as_a_count(score: float, said: str) -> None:
    assert rank_words(scored(score)) == said


def test_one_healthy_scan_is_not_scans() -> None:
    assert rank_words(scored(2.0, (1.0,))) == "None of 1 healthy scan scored as much, so p = 0.50"


@pytest.mark.parametrize(
    ("p_value", "said"), [(1.0, "p = 1"), (0.1, "p = 0.10"), (0.0244, "p = 0.024"), (0.00332, "p = 0.0033")]
)
def test_small_p_values_keep_two_digits(p_value: float, said: str) -> None:
    assert p_words(p_value) == said


@pytest.mark.parametrize(("alpha", "said"), [(0.05, "1 in 20"), (0.125, "1 in 8"), (0.15, "15 %")])
def test_rates_are_said_as_one_in_so_many_where_they_are(alpha: float, said: str) -> None:
    assert rate_words(alpha) == said


@pytest.mark.parametrize(
    ("alpha", "is_anomalous", "title"),
    [
        (0.05, True, "unusual as a whole"),
        (0.05, False, "not unusual as a whole"),
        (None, None, "no verdict on the scan as a whole"),
    ],
)
def test_each_verdict_has_its_words(
    found: AnomalyResult, alpha: float | None, is_anomalous: bool | None, title: str
) -> None:
    judged = replace(found, alpha=alpha, is_anomalous=is_anomalous)
    n_found = len(found.findings)
    assert verdict(judged).words.title == f"{n_found} finding{'s' if n_found > 1 else ''}; {title}"
    none = replace(judged, findings=())
    assert verdict(none).words.title == f"No finding; {title}"
    assert "3 of 40 healthy scans" in verdict(judged).words.meaning


def test_scan_that_is_not_unusual_is_not_called_healthy(found: AnomalyResult, text: str) -> None:
    assert "no proof of health" in text
    assert verdict(found).shown != "pass"


def test_flags_come_first_and_the_colours_of_the_map_are_off_until_asked_for(
    found: AnomalyResult, tmp_path: Path
) -> None:
    flagged = replace(found, flags=(FLAG,), is_anomalous=True)
    text = page_of(flagged, tmp_path)
    first = first_screen(text)
    assert first.index("Do not read this map") < first.index(FLAG.sentence) < first.index("<svg")
    assert "Take a model that learned from scans of this contrast" in first
    assert "unusual as a whole" not in text
    assert "Outlines, map and raw score mean nothing for this scan" in first
    assert first.count("means nothing, see above") == 2
    assert re.search(r'id="draw-lines" checked', text)
    assert "<p>Raw score</p>" in text


def test_remarks_on_a_flagged_scan_stand_apart_from_the_reasons(found: AnomalyResult, tmp_path: Path) -> None:
    remark = "The model knows one scanner."
    screen = first_screen(page_of(replace(found, flags=(FLAG,), remarks=(remark,)), tmp_path))
    parts = (FLAG.sentence, "</ul>", "What to do", "</ul>", ">Also<", remark)
    assert re.search(".*".join(re.escape(part) for part in parts), screen, re.S)
    assert screen.count(remark) == 1
    assert ">Also<" not in page_of(replace(found, remarks=(remark,)), tmp_path)


def test_a_note_comes_before_the_verdict_and_the_flags_as_plain_text(
    found: AnomalyResult, text: str, tmp_path: Path
) -> None:
    screen = first_screen(page_of(replace(found, flags=(FLAG,), note="A demo <b>first</b>."), tmp_path))
    assert 0 < screen.index("A demo &lt;b&gt;first&lt;/b&gt;.") < screen.index("Do not read this map")
    assert 'class="note"' not in text[text.index("<main>") : text.index('class="verdict')]


def test_map_of_a_scan_without_flags_is_drawn(text: str) -> None:
    assert re.search(r'id="draw-both" checked', text)
    assert "Do not read this map" not in text


def test_remarks_stand_in_the_verdict_and_warnings_below(found: AnomalyResult, tmp_path: Path) -> None:
    text = page_of(replace(found, remarks=("The scan is thick.",)), tmp_path)
    assert "The scan is thick." in first_screen(text)
    assert "Something was noticed on the way." in text


def test_scan_the_model_has_seen_gets_no_verdict_at_its_rate(found: AnomalyResult, tmp_path: Path) -> None:
    text = page_of(replace(found, seen="train", alpha=0.1, is_anomalous=None), tmp_path)
    assert "no verdict on the scan as a whole" in first_screen(text)
    assert "not unusual" not in first_screen(text)
    assert "the model has seen this scan, so the promise does not hold" in text


def test_first_screen_says_that_it_is_not_for_diagnosis(text: str) -> None:
    assert "Not for clinical diagnosis" in first_screen(text)


def test_table_tells_volume_side_tissue_and_how_many_are_ordinary(found: AnomalyResult, text: str) -> None:
    assert f"{found.findings[0].volume_mm3 / 1000:.2f}</td>" in text
    assert "white matter, 90 %" in text
    assert "a healthy scan shows 1 such finding on average; this one shows no more than that" in text
    assert "200 at most" in text


def test_side_of_a_finding_is_said_to_be_its_centres(text: str) -> None:
    assert "roughly left frontal lobe, mostly white matter" in first_screen(text)


def test_finding_across_the_midline_is_said_to_lie_on_both_sides(
    found: AnomalyResult, tmp_path: Path
) -> None:
    across = replace(found, findings=(replace(found.findings[0], side="both"),))
    assert "roughly both sides, frontal lobe, mostly white matter" in first_screen(page_of(across, tmp_path))


def test_long_list_says_that_it_ends(found: AnomalyResult, tmp_path: Path) -> None:
    many = tuple(replace(found.findings[0], index=n + 1) for n in range(200))
    text = page_of(replace(found, findings=many), tmp_path)
    assert "200 or more" in text
    assert "The other 188" in text


def test_model_that_draws_no_pseudo_healthy_has_a_page_that_says_so(
    found: AnomalyResult, tmp_path: Path
) -> None:
    text = page_of(replace(found, healthy=None, baselines=()), tmp_path)
    assert "makes no reconstruction" in text
    assert "Beside the pseudo-healthy reconstruction" not in text
    assert "pseudohealthy" not in text
    assert "--baselines" in text


def test_scan_without_findings_has_a_page_that_says_so(found: AnomalyResult, tmp_path: Path) -> None:
    text = page_of(nothing_found(found), tmp_path)
    assert "Nothing was found" in text
    assert "this one shows none" in text
    assert "<tbody>\n    </tbody>" not in text


def test_thick_tilted_slices_have_a_page_in_true_millimetres(tmp_path: Path) -> None:
    result = found_on_the_left(make_anatomy(spacing_mm=(2.0, 2.0, 6.0)), tilt_degrees=12.0)
    for tile in places(result, 1)[0].tiles:
        assert tile.cross is not None
        cross = tile.cross[0] / tile.width_mm, tile.cross[1] / tile.height_mm
        assert middle(opacity_of(tile.fill) > 100) == pytest.approx(cross, abs=0.01)
        assert 100 < tile.height_mm < 250
    assert "tilted by" in page_of(result, tmp_path)


def test_few_slices_are_shown_in_the_one_plane_that_cuts_them(found: AnomalyResult) -> None:
    middle_k = left_block(found.brain.data.astype(bool))[2].start + 1
    names = ("image", "brain", "score", "calibrated", "mask", "healthy")
    few = {name: few_slices(getattr(found, name), middle_k) for name in names}
    thin = replace(found, **few, baselines=())
    assert [tile.plane.name for tile in places(thin, 1)[0].tiles] == ["axial"]
    assert len(comparisons(thin)) == 1
    picture = Image.open(BytesIO(thumbnail(thin)))
    assert picture.width < 2 * picture.height


def few_slices(volume: Volume, middle_k: int) -> Volume:
    """Cut three axial slices out of a volume, where they are."""
    affine = volume.affine.copy()
    affine[:3, 3] += (middle_k - 1) * affine[:3, 2]
    return Volume(volume.data[:, :, middle_k - 1 : middle_k + 2], affine, volume.kind)


def test_text_from_outside_is_escaped(found: AnomalyResult, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    flagged = replace(found, flags=(replace(FLAG, sentence=evil),), remarks=(evil,))
    named = replace(flagged, model=replace(found.model, folder=evil))
    text = page_of(named, tmp_path, command="<img src=x onerror=alert(2)>")
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text


def test_page_names_no_address_outside_itself(text: str) -> None:
    addresses = re.findall(r'\b(?:src|href|srcset|action|poster)="([^"]*)"', text.split("niivue-code")[0])
    assert len(addresses) > 40
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "default-src 'none'" in text
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    assert "url(" not in style


def test_no_two_parts_of_the_page_share_a_name(text: str) -> None:
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names))


def test_folder_of_the_scan_is_not_told(text: str) -> None:
    assert "DOE_JANE" not in text
    assert "sub-07_T1w.nii.gz" in text


def test_same_result_gives_the_same_bytes_below_five_megabytes(found: AnomalyResult, tmp_path: Path) -> None:
    first = page_of(found, tmp_path)
    assert page_of(found, tmp_path) == first
    assert len(first.encode()) < 5 * MEGABYTE


def test_methods_name_the_model_its_paper_and_its_limit(text: str) -> None:
    methods = text[text.index("How it was made") :]
    assert "Turk and Pentland" in methods
    assert "Vovk" in methods
    assert "Its known limit" in methods
    assert "The brain mask was given" in methods
    assert "medunsup detect sub-07_T1w.nii.gz</code>" in methods


@pytest.mark.slow
def test_even_maps_of_pure_noise_fit_the_page(found: AnomalyResult, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    shape = (220, 240, 220)
    image = Volume(draw.random(shape, dtype=np.float32), np.diag([0.8, 0.8, 0.8, 1.0]))
    whole = np.ones(shape, bool)
    noise = image.like(5 * draw.random(shape, dtype=np.float32), "score")
    spots = tuple(
        replace(found.findings[0], index=n, peak_mm=(10.0 * n, 15.0 * n, 20.0 * n)) for n in range(1, 8)
    )
    result = replace(
        found,
        image=image,
        brain=image.like(whole, "mask"),
        score=noise,
        calibrated=noise,
        mask=image.like(noise.data > 4, "mask"),
        healthy=image,
        findings=spots,
        baselines=tuple(replace(found.baselines[0], name=f"baseline{n}", map=noise) for n in range(8)),
    )
    assert write_page(result, tmp_path / "page.html").stat().st_size < 5 * MEGABYTE


@pytest.mark.parametrize("given", [True, False])
def test_a_mask_or_contrast_that_was_given_is_not_advised(found: AnomalyResult, given: bool) -> None:
    steps = [
        {"name": "brain mask", "parameters": {"given": given}},
        {"name": "contrast", "parameters": {"asked": "T1w" if given else "auto"}},
    ]
    flags = tuple(replace(FLAG, name=name) for name in ("missing", "contrast"))
    said = " ".join(verdict(replace(found, flags=flags, details={"steps": steps})).advice)
    assert ("give a brain mask with the option mask (--mask)" in said) == (not given)
    assert ("correct the mask that was given" in said) == given
    assert ("name it with the option contrast (--contrast)" in said) == (not given)
