"""The page of many scans: those to look at first on top, however many there are."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medunsup.cohort.failed import FailedScan
from medunsup.core.errors import InputError
from medunsup.report.segment.outliers import deviations, limit, robust_z
from medunsup.report.segment.page import write_page
from medunsup.report.segment.thumbnail import thumbnail
from medunsup.tissue.result import TissueResult
from medunsup.workflows.segment.group import write_group, write_table_and_page


def sidecar(gm: float = 0.45, wm: float = 0.35, verdict: str = "pass", **measures: float) -> dict[str, Any]:
    whole = 1.5e6
    volumes = {"GM": gm * whole, "WM": wm * whole, "CSF": (1 - gm - wm) * whole}
    return {
        "Medunsup": {"Inputs": [{"Role": "scan", "Name": "scan_T1w.nii.gz"}]},
        "Volumes": {name: {"FromFractionsMM3": value} for name, value in volumes.items()},
        "BrainMaskMM3": whole,
        "Quality": {
            "Verdict": verdict,
            "Reasons": ["Look at it."] * (verdict != "pass"),
            "Measures": measures,
        },
        "Steps": [],
    }


def put(folder: Path, name: str, facts: dict[str, Any]) -> Path:
    place = folder / name / "anat"
    place.mkdir(parents=True)
    (place / f"{name}_dseg.json").write_text(json.dumps(facts))
    return place / f"{name}_report.html"


def names_in_order(text: str) -> list[str]:
    return re.findall(r'<th scope="row" data-value="([^"]+)"', text)


def healthy(count: int, seed: int = 0) -> list[dict[str, Any]]:
    draw = np.random.default_rng(seed).normal
    return [sidecar(draw(0.45, 0.01), draw(0.35, 0.01), fit=draw(0.5, 0.02)) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 3, 20])
def test_any_number_of_scans_has_a_page(tmp_path: Path, count: int) -> None:
    for n, facts in enumerate(healthy(count)):
        put(tmp_path, f"sub-{n:02d}", facts)
    text = write_group(tmp_path).read_text("utf-8")
    assert len(names_in_order(text)) == count
    assert ("needs at least 5 scans" in text) == (count < 5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_spread_is_drawn_of_three_scans_and_more(tmp_path: Path, count: int) -> None:
    for n, facts in enumerate(healthy(count)):
        put(tmp_path, f"sub-{n:02d}", facts)
    text = write_group(tmp_path).read_text("utf-8")
    assert ("Spread over the group" in text) == (count >= 3)
    assert text.count("<svg") == (4 if count >= 3 else 0)


def taken_as(facts: dict[str, Any], contrast: str, *beside: str) -> dict[str, Any]:
    others = [{"name": "contrasts", "parameters": {"given": list(beside)}}] if beside else []
    return facts | {"Steps": [*others, {"name": "contrast", "findings": {"contrast": contrast}}]}


def test_scans_are_compared_with_those_of_their_own_contrast(tmp_path: Path) -> None:
    for n, facts in enumerate(healthy(12)):
        put(tmp_path, f"sub-{n:02d}_T1w", taken_as(facts, "T1w"))
    for n in range(3):
        put(tmp_path, f"sub-{n:02d}_T2w", taken_as(sidecar(gm=0.2), "T2w"))
    put(tmp_path, "sub-20_T1w", taken_as(sidecar(gm=0.2), "T1w"))
    text = write_group(tmp_path).read_text("utf-8")
    assert re.findall("<h3>(.*?)</h3>", text) == ["T1w", "T2w"]
    assert text.count("<svg") == 8
    assert text.count("share of GM low") == 1
    assert names_in_order(text)[0] == "sub-20_T1w"


def test_table_names_the_contrast_that_each_scan_was_taken_as(tmp_path: Path) -> None:
    put(tmp_path, "sub-a", taken_as(sidecar(), "T2w"))
    put(tmp_path, "sub-b", taken_as(sidecar(), "T1w", "FLAIR"))
    put(tmp_path, "sub-c", sidecar())
    write_table_and_page(tmp_path, page=False)
    header, *rows = (line.split("\t") for line in (tmp_path / "volumes.tsv").read_text().splitlines())
    assert [row[header.index("contrast")] for row in rows] == ["T2w", "T1w + FLAIR", "n/a"]


def test_scans_without_a_result_come_before_all_others(tmp_path: Path) -> None:
    put(tmp_path, "sub-failed", sidecar(verdict="fail"))
    broken = FailedScan("sub-broken_T1w.nii.gz", "sub-broken_T1w.nii.gz: is truncated.")
    text = write_group(tmp_path, failed=[broken]).read_text("utf-8")
    assert names_in_order(text) == ["sub-broken_T1w.nii.gz", "sub-failed"]


def test_failed_scans_come_first_then_those_to_look_at_then_outliers(tmp_path: Path) -> None:
    for n, facts in enumerate(healthy(12)):
        put(tmp_path, f"sub-{n:02d}", facts)
    put(tmp_path, "sub-outlier", sidecar(gm=0.20))
    put(tmp_path, "sub-look", sidecar(verdict="check"))
    put(tmp_path, "sub-failed", sidecar(verdict="fail"))
    text = write_group(tmp_path).read_text("utf-8")
    assert names_in_order(text)[:3] == ["sub-failed", "sub-look", "sub-outlier"]
    assert "share of GM low: 20 % (group 45 %" in text


def test_scans_that_were_checked_in_part_are_counted_apart_and_come_before_those_that_passed(
    tmp_path: Path,
) -> None:
    partly = sidecar()
    partly["Quality"]["Reasons"] = ["Not checked: ghosts and motion (known for T1w only)."]
    for name, facts in (("sub-a", sidecar()), ("sub-b", partly), ("sub-c", sidecar(verdict="check"))):
        put(tmp_path, name, facts)
    text = write_group(tmp_path).read_text("utf-8")
    assert names_in_order(text) == ["sub-c", "sub-b", "sub-a"]
    assert re.findall(r'class="value">(\d)', text)[:4] == ["0", "1", "1", "1"]
    assert re.search(r'class="tone partial"><span[^>]*>–</span>partial</td>', text)


def test_the_table_of_all_scans_gives_the_verdict_that_the_page_shows(tmp_path: Path) -> None:
    partly = sidecar(verdict="partial")
    earlier = sidecar()
    earlier["Quality"]["Reasons"] = ["Not checked: ghosts and motion (known for T1w only)."]
    for name, facts in (("sub-a", sidecar()), ("sub-b", partly), ("sub-c", earlier)):
        put(tmp_path, name, facts)
    write_table_and_page(tmp_path, page=False)
    rows = (tmp_path / "volumes.tsv").read_text("utf-8").splitlines()[1:]
    assert [row.split("\t")[-2:] for row in rows] == [
        [word, "n/a"] for word in ("pass", "partial", "partial")
    ]


def test_five_hundred_scans_stay_below_five_megabytes(tmp_path: Path, result: TissueResult) -> None:
    picture = thumbnail(result)
    for n, facts in enumerate(healthy(500)):
        put(tmp_path, f"sub-{n:03d}", facts).with_name(f"sub-{n:03d}_thumbnail.jpg").write_bytes(picture)
    group = write_group(tmp_path)
    assert group.stat().st_size < 5_000_000
    assert group.read_text("utf-8").count("data:image/jpeg") > 400


def test_each_scan_links_to_its_page_with_a_thumbnail(tmp_path: Path, result: TissueResult) -> None:
    page = put(tmp_path, "sub-a b", sidecar())
    write_page(result, page).with_name("sub-a b_thumbnail.jpg").write_bytes(thumbnail(result))
    text = write_group(tmp_path).read_text("utf-8")
    assert 'href="sub-a%20b/anat/sub-a%20b_report.html"' in text
    assert text.count("data:image/jpeg") == 1


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    for n, facts in enumerate(healthy(6)):
        put(tmp_path, f"sub-{n:02d}", facts)
    first = write_group(tmp_path).read_bytes()
    assert write_group(tmp_path).read_bytes() == first


def test_files_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "sub-01", sidecar())
    put(tmp_path, "sub-02", {"Description": "another program's"})
    put(tmp_path, "sub-03", {}).with_name("sub-03_dseg.json").write_text("{broken")
    assert names_in_order(write_group(tmp_path).read_text("utf-8")) == ["sub-01"]


def test_what_a_killed_run_left_in_hiding_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "sub-01", sidecar())
    put(tmp_path / ".medunsup-staging-sub-02.0123abcd", "sub-02", sidecar())
    assert names_in_order(write_group(tmp_path).read_text("utf-8")) == ["sub-01"]


def test_scans_with_other_numbers_of_classes_share_a_page(tmp_path: Path) -> None:
    put(tmp_path, "sub-01", sidecar())
    five = sidecar()
    five["Volumes"] = {f"C{n}": {"FromFractionsMM3": 3e5} for n in range(1, 6)}
    put(tmp_path, "sub-02", five)
    text = write_group(tmp_path).read_text("utf-8")
    assert all(name in text for name in ("GM, ml", "C5, ml"))


def test_an_empty_folder_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="medunsup segment"):
        write_group(tmp_path)


def test_the_group_page_loads_nothing_from_outside(tmp_path: Path) -> None:
    put(tmp_path, "sub-01", sidecar())
    text = write_group(tmp_path).read_text("utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r'(?:src|href)="(?:https?:|//|file:|/)', text)


@pytest.mark.parametrize("size", [5, 8, 12, 20, 50])
def test_normal_values_seldom_stand_out_even_in_small_groups(size: int) -> None:
    groups = np.random.default_rng(1).normal(size=(40_000 // size, size))
    out = np.mean([np.abs(robust_z(group)) > limit(size) for group in groups])
    assert out < 0.004


def test_a_value_far_out_stands_out() -> None:
    values = np.r_[np.random.default_rng(2).normal(0.45, 0.01, 11), 0.30]
    found = deviations({"share of GM": values})
    assert [bool(each) for each in found] == [False] * 11 + [True]
    assert found[-1][0].z < 0


def test_nothing_stands_out_in_fewer_than_five() -> None:
    assert deviations({"x": np.array([1.0, 1.1, 0.9, 99.0])}) == [[], [], [], []]


def test_equal_values_and_unknown_ones_do_not_stand_out() -> None:
    same = np.array([1.0] * 8 + [1.1])
    unknown = np.r_[np.random.default_rng(3).normal(size=9)[:8], np.nan]
    assert not any(deviations({"same": same, "unknown": unknown}))
