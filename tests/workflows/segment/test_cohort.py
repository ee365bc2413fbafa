"""Many scans: what is done is skipped, what was made otherwise is refused, what fails is told."""

import csv
import html
import json
import re
import shutil
from pathlib import Path

import pytest

from medunsup.cohort.batch import attempt
from medunsup.core.errors import OutputError, ResultThereError, StepError, UsageError
from medunsup.io.files import hashes
from medunsup.io.files.hashes import hash_input
from medunsup.workflows.segment import save
from medunsup.workflows.segment.cohort import make_requests, run_requests, segment_many
from medunsup.workflows.segment.group import write_table_and_page
from medunsup.workflows.segment.outcome import ScanOutcome
from medunsup.workflows.segment.settings import SegmentSettings

pytestmark = pytest.mark.usefixtures("quick_registration")
QUICK = {"method": "kmeans", "parameters": {"max_voxels": 1000}, "report": False}


def test_what_is_done_is_skipped_and_stays_untouched(make_scan, tmp_path):
    scans = [make_scan("a.nii.gz", seed=1), make_scan("b.nii.gz", seed=2)]
    first = segment_many(scans, tmp_path / "out", **QUICK)
    assert [scan.status for scan in first.scans] == ["done", "done"]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("?_*")}
    again = segment_many([*scans, make_scan("c.nii.gz", seed=3)], tmp_path / "out", **QUICK)
    assert [scan.status for scan in again.scans] == ["skipped", "skipped", "done"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert again.scans[0].volumes_ml == first.scans[0].volumes_ml


def test_a_failed_scan_is_told_and_the_rest_goes_on(make_scan, tmp_path):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no image")
    scans = [make_scan("a.nii.gz"), broken, tmp_path / "missing.nii.gz", make_scan("b.nii.gz")]
    result = segment_many(scans, tmp_path / "out", **QUICK)
    assert [scan.status for scan in result.scans] == ["done", "error", "error", "done"]
    assert "broken.nii.gz" in result.scans[1].error
    assert "missing.nii.gz" in result.scans[2].error
    assert result.n_failed == 2


@pytest.mark.parametrize("force", [False, True])
def test_a_scan_that_became_unreadable_costs_neither_its_result_nor_the_others(
    make_scan, tmp_path, monkeypatch, force
):
    first = make_scan("a.nii.gz")
    segment_many([first], tmp_path / "out", **QUICK)
    before = {path: path.read_bytes() for path in (tmp_path / "out").glob("a_*")}
    plain = hashes.hash_file

    def without_the_right_to_read_a(path):
        if path == first:
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(hashes, "hash_file", without_the_right_to_read_a)
    told = segment_many([first, make_scan("b.nii.gz", seed=2)], tmp_path / "out", force=force, **QUICK)
    assert [scan.status for scan in told.scans] == ["error", "done"]
    assert told.scans[0].error.startswith(f"{first}: ")
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("a_*")} == before


def test_a_scan_in_error_is_counted_on_the_page_and_has_a_row_with_the_cause(make_scan, tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    broken = private / "broken.nii.gz"
    broken.write_bytes(b"no image")
    scans, out = [make_scan("a.nii.gz"), broken], tmp_path / "out"
    told = segment_many(scans, out, **{**QUICK, "report": True})
    with (out / "volumes.tsv").open() as file:
        rows = {row["scan"]: row for row in csv.DictReader(file, delimiter="\t")}
    cause = told.scans[1].error.removeprefix(f"{broken}: ")
    assert rows["broken.nii.gz"] == dict.fromkeys(rows["a.nii.gz"], "n/a") | {
        "scan": "broken.nii.gz",
        "verdict": "error",
        "error": cause,
    }
    assert rows["a.nii.gz"]["error"] == "n/a"
    page = html.unescape(told.group_page.read_text("utf-8"))
    assert "out: 2 scans" in page
    assert re.search(r'href="#failed">error</a></dt><dd class="value">1<', page)
    assert cause in page
    assert "private" not in page
    write_table_and_page(out)  # as the group level of a BIDS App does
    assert cause in (out / "volumes.tsv").read_text()
    shutil.copy(scans[0], broken)
    segment_many(scans, out, **QUICK)
    assert "error" not in (out / "volumes.tsv").read_text().split("\n", 1)[1]


def test_a_defect_of_our_own_in_one_scan_does_not_end_the_others(make_scan, tmp_path, monkeypatch):
    scans = [make_scan("a.nii.gz"), make_scan("b.nii.gz")]
    plain = save.write

    def fail_on_a(result, names, **more):
        if names.stem == "a":
            raise ZeroDivisionError("a defect")
        return plain(result, names, **more)

    monkeypatch.setattr(save, "write", fail_on_a)
    result = segment_many(scans, tmp_path / "out", **QUICK)
    assert [scan.status for scan in result.scans] == ["error", "done"]
    assert "ZeroDivisionError" in result.scans[0].error
    assert "Traceback" in result.scans[0].trace


@pytest.mark.parametrize("name", ["broken.nii.gz", "sub-01_T1w.nii.gz"])
def test_a_run_without_a_result_leaves_no_folder_that_it_made(make_scan, tmp_path, monkeypatch, name):
    def full(*_, **__):
        raise OutputError("the disk is full")

    if name == "broken.nii.gz":
        (tmp_path / name).write_bytes(b"no image")
    else:
        make_scan(name)
        monkeypatch.setattr(save, "_write_maps", full)
    (tmp_path / "mine").mkdir()
    for folder in ("mine", "deep/er/out"):
        assert segment_many([tmp_path / name], tmp_path / folder, **QUICK).n_failed == 1
    assert list((tmp_path / "mine").iterdir()) == []
    assert not (tmp_path / "deep").exists()


def test_a_full_disk_stops_the_run_instead_of_failing_scan_by_scan(make_scan, tmp_path, monkeypatch):
    scans = [make_scan("a.nii.gz"), make_scan("b.nii.gz")]

    def full(*_, **__):
        raise OutputError("the disk is full")

    monkeypatch.setattr(save, "write", full)
    result = segment_many(scans, tmp_path / "out", **QUICK)
    assert [scan.status for scan in result.scans] == ["error", "not run"]
    assert result.n_failed == 2


@pytest.mark.parametrize("change", [{"seed": 5}, {"method": "gmm"}, {"parameters": {"max_iter": 9}}])
def test_other_choices_are_refused_unless_forced(make_scan, tmp_path, change):
    scan = make_scan()
    segment_many([scan], tmp_path / "out", **QUICK)
    with pytest.raises(UsageError, match="force=True"):
        segment_many([scan], tmp_path / "out", **QUICK | change)
    forced = segment_many([scan], tmp_path / "out", force=True, **QUICK | change)
    assert forced.scans[0].status == "done"
    made = json.loads(forced.scans[0].outputs["sidecar"].read_text())
    assert made["Medunsup"]["Choices"] | change == made["Medunsup"]["Choices"]


def test_another_image_under_the_same_name_is_noticed(make_scan, tmp_path):
    segment_many([make_scan(seed=1)], tmp_path / "out", **QUICK)
    with pytest.raises(UsageError, match="other input"):
        segment_many([make_scan(seed=2)], tmp_path / "out", **QUICK)


def test_another_mask_is_noticed(make_scan, small_brain, tmp_path):
    from helpers import phantom

    scan = make_scan()
    mask = phantom.save(small_brain.mask, tmp_path / "scan_mask.nii.gz", axes="LPS")
    segment_many([scan], tmp_path / "out", mask=str(mask), **QUICK)
    with pytest.raises(UsageError, match="other input"):
        segment_many([scan], tmp_path / "out", **QUICK)


def test_a_file_of_that_name_that_is_not_ours_is_never_replaced_silently(make_scan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scan_dseg.nii.gz").write_bytes(b"someone else's")
    with pytest.raises(UsageError, match="not one of ours"):
        segment_many([make_scan()], tmp_path / "out", **QUICK)


def test_an_error_names_its_scan_once(make_scan, tmp_path, monkeypatch):
    from medunsup.workflows.segment import scan as run_scan

    def fail(request, **_):
        raise StepError("No brain was found in this scan.")

    monkeypatch.setattr(run_scan, "segment_scan", fail)
    scans = [make_scan("a.nii.gz"), make_scan("b.nii.gz")]
    made = segment_many([*scans, tmp_path / "missing.nii.gz"], tmp_path / "out", **QUICK)
    told = [scan.as_json()["error"] for scan in made.scans]
    assert told[:2] == [f"{scan}: No brain was found in this scan." for scan in scans]
    assert told[2].count("missing.nii.gz") == 1


def test_an_error_names_a_scan_whose_name_is_part_of_other_words():
    def fail() -> ScanOutcome:
        raise StepError("No brain was found in this T1w scan.")

    outcome = attempt(Path("patient/T1"), ScanOutcome, fail)
    assert outcome.error == "patient/T1: No brain was found in this T1w scan."


def test_a_pattern_finds_each_scans_own_mask(make_scan, tmp_path):
    scans = [make_scan("s1_T1w.nii.gz"), make_scan("s2_T1w.nii.gz")]
    for name in ("s1", "s2"):
        make_scan(f"{name}_mask.nii.gz")
    requests = make_requests(scans, SegmentSettings(method="gmm"), mask="{folder}/{id}_mask.nii.gz")
    assert [request.scan.mask.name for request in requests] == ["s1_mask.nii.gz", "s2_mask.nii.gz"]
    with pytest.raises(UsageError, match="pattern"):
        make_requests(scans, SegmentSettings(method="gmm"), mask="mask.nii.gz")
    with pytest.raises(UsageError, match="folder"):
        make_requests(scans, SegmentSettings(method="gmm"), mask="{subject}.nii.gz")


def test_a_mask_that_is_not_there_is_told_with_its_path_and_the_placeholders(make_scan, tmp_path):
    scan = make_scan("1000_T1w.nii.gz")
    with pytest.raises(UsageError) as caught:
        make_requests([scan], SegmentSettings(method="gmm"), mask="{folder}/{stem}_mask.nii.gz")
    told = str(caught.value)
    assert str(tmp_path / "1000_T1w_mask.nii.gz") in told
    assert f"{{folder}} is {str(tmp_path)!r}" in told
    assert "{stem} is '1000_T1w'" in told
    assert "{id} is '1000'" in told
    with pytest.raises(UsageError, match="its T2w"):
        make_requests([scan], SegmentSettings(method="gmm"), with_contrasts={"T2w": "no.nii.gz"})


def test_a_scan_without_its_mask_fails_and_the_rest_goes_on(make_scan, small_brain, tmp_path):
    from helpers import phantom

    scans = [make_scan("a.nii.gz"), make_scan("b.nii.gz")]
    phantom.save(small_brain.mask, tmp_path / "b_mask.nii.gz", axes="LPS")
    result = segment_many(scans, tmp_path / "out", mask="{folder}/{stem}_mask.nii.gz", **QUICK)
    assert [scan.status for scan in result.scans] == ["error", "done"]
    assert "a_mask.nii.gz" in result.scans[0].error


def test_if_none_of_the_scans_is_there_nothing_is_begun(tmp_path):
    with pytest.raises(UsageError, match=r"one\.nii.*1 more"):
        segment_many([tmp_path / "one.nii", tmp_path / "two.nii"], tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["b_report.html", "b_desc-brain_mask.nii.gz", "b_dseg.tsv"])
def test_a_file_of_the_users_with_a_results_name_is_told_before_all_else(make_scan, tmp_path, name):
    scans = [make_scan("scans/a.nii.gz"), make_scan("scans/b.nii.gz")]
    own = tmp_path / "scans" / name
    own.write_text("mine")
    with pytest.raises(ResultThereError, match=f"{name}: exists already.*force=True"):
        segment_many(scans, **QUICK)
    assert own.read_text() == "mine"
    assert len(list((tmp_path / "scans").iterdir())) == 3


def test_a_sidecar_that_cannot_be_understood_is_told_and_replaced_on_demand(make_scan, tmp_path):
    scan, sidecar = make_scan("a.nii.gz"), tmp_path / "out" / "a_dseg.json"
    segment_many([scan], tmp_path / "out", **QUICK)
    before = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({key: of for key, of in before.items() if key != "Volumes"}))
    with pytest.raises(UsageError, match=r"a_dseg\.json was made by another version.*force=True"):
        segment_many([scan], tmp_path / "out", **QUICK)
    segment_many([scan], tmp_path / "out", force=True, **QUICK)
    assert json.loads(sidecar.read_text()) == before


def test_a_misspelt_method_or_parameter_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError, match="'kmeans'"):
        segment_many([tmp_path / "no.nii.gz"], tmp_path / "out", method="kmean")
    with pytest.raises(UsageError, match="'max_iter'"):
        segment_many([tmp_path / "no.nii.gz"], tmp_path / "out", method="kmeans", parameters={"maxiter": 2})


def test_the_folders_table_holds_every_scan_of_all_runs(make_scan, tmp_path):
    segment_many([make_scan("a.nii.gz")], tmp_path / "out", **QUICK)
    segment_many([make_scan("b.nii.gz")], tmp_path / "out", **QUICK)
    header, *rows = (tmp_path / "out" / "volumes.tsv").read_text().splitlines()
    assert header.split("\t")[:4] == ["scan", "GM_mm3", "WM_mm3", "CSF_mm3"]
    assert [row.split("\t")[0] for row in rows] == ["a.nii.gz", "b.nii.gz"]
    assert {row.split("\t")[header.split("\t").index("contrast")] for row in rows} == {"T1w"}


def test_the_folders_table_and_page_pass_over_what_is_not_ours(make_scan, tmp_path):
    out = tmp_path / "out"
    segment_many([make_scan("a.nii.gz"), make_scan("b.nii.gz")], out, **QUICK | {"report": True})
    made = json.loads((out / "a_dseg.json").read_text())
    for name, facts in (("x", {"Description": "another's"}), ("y", made | {"Medunsup": {"Inputs": []}})):
        (out / f"{name}_dseg.json").write_text(json.dumps(facts))
    segment_many([make_scan("c.nii.gz")], out, **QUICK | {"report": True})
    rows = (out / "volumes.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == ["a.nii.gz", "b.nii.gz", "c.nii.gz"]
    assert (out / "group_report.html").read_text().count('<th scope="row" data-value=') == 3


def test_progress_and_outcomes_are_told_as_they_come(make_scan, tmp_path):
    steps, outcomes = [], []
    requests = make_requests([make_scan()], SegmentSettings(method="kmeans"), tmp_path / "out")
    run_requests(
        requests,
        report=False,
        progress=lambda scan, text: steps.append((scan.name, text)),
        finished=lambda outcome: outcomes.append(outcome.status),
    )
    assert steps[0] == ("scan.nii.gz", "load")
    assert steps[-1] == ("scan.nii.gz", "save")
    assert outcomes == ["done"]


def test_a_folders_hash_does_not_depend_on_the_names_in_it(tmp_path):
    for folder, names in (("one", ("a", "b")), ("two", ("x", "y"))):
        (tmp_path / folder).mkdir()
        for name, content in zip(names, (b"1", b"2"), strict=True):
            (tmp_path / folder / name).write_bytes(content)
    assert hash_input(tmp_path / "one") == hash_input(tmp_path / "two")
    (tmp_path / "two" / ".DS_Store").write_bytes(b"left by a desktop")
    assert hash_input(tmp_path / "one") == hash_input(tmp_path / "two")
    (tmp_path / "two" / "x").write_bytes(b"3")
    assert hash_input(tmp_path / "one") != hash_input(tmp_path / "two")


def test_a_table_of_the_users_own_is_not_replaced(make_scan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "volumes.tsv").write_text("my\tnumbers\n")
    with pytest.raises(OutputError, match="not ours"):
        segment_many([make_scan()], tmp_path / "out", **QUICK)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["volumes.tsv"]


def test_what_a_killed_run_left_is_not_counted(make_scan, tmp_path):
    segment_many([make_scan("a.nii.gz")], tmp_path / "out", **QUICK)
    left = tmp_path / "out" / ".medunsup-staging-b.1234"
    left.mkdir()
    (left / "b_dseg.json").write_bytes((tmp_path / "out" / "a_dseg.json").read_bytes())
    segment_many([make_scan("c.nii.gz")], tmp_path / "out", **QUICK)
    rows = (tmp_path / "out" / "volumes.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == ["a.nii.gz", "c.nii.gz"]


def test_a_defect_in_the_groups_page_costs_the_page_and_not_the_run(make_scan, tmp_path, monkeypatch):
    from medunsup.report.segment import group_page

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(group_page, "write_group_page", broken)
    choices = QUICK | {"report": True}
    result = segment_many([make_scan("a.nii.gz"), make_scan("b.nii.gz")], tmp_path / "out", **choices)
    assert result.n_failed == 0
    assert result.group_page is None
    assert (tmp_path / "out" / "volumes.tsv").exists()


def test_a_path_may_begin_with_the_home_folder(make_scan, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    name = make_scan().relative_to(tmp_path)
    result = segment_many([f"~/{name}"], "~/out", **QUICK)
    assert result.scans[0].outputs["dseg"] == tmp_path / "out" / "scan_dseg.nii.gz"


def test_a_name_that_begins_with_a_tilde_is_no_home_folder(make_scan, tmp_path, monkeypatch):
    monkeypatch.chdir(make_scan("~scan.nii.gz").parent)
    assert segment_many(["~scan.nii.gz"], **QUICK).scans[0].status == "done"


def test_a_series_may_be_given_as_a_number():
    assert SegmentSettings.parse({"series": 3}) == SegmentSettings.parse({"series": "3"})
