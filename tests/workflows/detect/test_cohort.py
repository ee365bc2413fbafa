"""Many scans and one model: one process or several, what is there already, what all of them say together."""

import csv
import html
import json
import shutil
from pathlib import Path

import pytest
from helpers import phantom
from helpers.healthy_scans import write_person
from helpers.small_models import write_small_model

from medunsup.cohort.failed import without_folders
from medunsup.core.errors import OutputError, ResultThereError, UsageError
from medunsup.workflows.detect.cohort import detect_many
from medunsup.workflows.detect.scan import detect
from medunsup.workflows.segment.cohort import segment_many

# Spawned processes import this first: no scan is registered there either, one kills its process, and each
# file of a model that is read leaves a line.
IN_EACH_PROCESS = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import pytest
from helpers.small_scans import place_quickly
place_quickly(pytest.MonkeyPatch())
from medunsup.workflows.detect import cohort
from medunsup.io.files import artifact_folder
plain_scan, plain_read = cohort.detect_scan, artifact_folder.read_arrays
def detect_scan(request, **more):
    if request.scan.path.name.startswith("sub-deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return plain_scan(request, **more)
def read_arrays(path):
    with open({reads!r}, "a") as file:
        file.write(f"{{os.getpid()}} {{path.name}}\\n")
    return plain_read(path)
cohort.detect_scan, artifact_folder.read_arrays = detect_scan, read_arrays
"""


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.fixture(scope="module")
def unseen(small_brain: phantom.Anatomy, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three more people, healthy, whom no model knows."""
    folder = tmp_path_factory.mktemp("unseen")
    return [write_person(folder / f"sub-{n}_T1w.nii.gz", small_brain, n) for n in (50, 51, 52)]


@pytest.fixture
def reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File with one line for each file of a model that a process has read."""
    path = tmp_path / "reads"
    code = IN_EACH_PROCESS.format(tests=str(Path(__file__).parents[2]), reads=str(path))
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"))
    return path


@pytest.mark.slow
def test_two_processes_find_byte_for_byte_what_one_finds_and_read_the_model_once(
    trained, unseen, tmp_path, reads
):
    one = detect_many(unseen, trained.path, tmp_path / "one" / "out")
    two = detect_many(unseen, trained.path, tmp_path / "two" / "out", jobs=2)
    assert [scan.status for scan in two.scans] == ["done"] * 3
    assert [scan.p_value for scan in two.scans] == [scan.p_value for scan in one.scans]
    files = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert files == {
        path.relative_to(tmp_path / "two") for path in (tmp_path / "two").rglob("*") if path.is_file()
    }
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files
    )
    lines = reads.read_text().splitlines()
    assert 1 <= len(lines) == len(set(lines)) <= 2


@pytest.mark.slow
def test_process_that_is_killed_costs_its_own_scan(trained, unseen, tmp_path, reads):
    deadly = shutil.copy(unseen[0], tmp_path / "sub-deadly_T1w.nii.gz")
    result = detect_many([deadly, *unseen[1:]], trained.path, tmp_path / "out", jobs=2)
    assert [scan.status for scan in result.scans] == ["error", "done", "done"]
    assert "sub-deadly_T1w.nii.gz: its process was ended from outside" in result.scans[0].error
    assert "Try fewer `jobs`" in result.scans[0].error
    left = {path.name for path in (tmp_path / "out").rglob(".medunsup*")}
    assert left == {".medunsup-run"}  # what `medunsup status` reads


def test_what_is_done_is_skipped_and_what_was_made_otherwise_is_not_replaced(trained, patient, tmp_path):
    first = detect_many([patient], trained.path, tmp_path)
    again = detect_many([patient], trained.path, tmp_path)
    assert (first.scans[0].status, again.scans[0].status) == ("done", "skipped")
    assert again.scans[0].p_value == first.scans[0].p_value
    with pytest.raises(UsageError, match=r"is there already, made with fp_per_scan 1\.0, not 3"):
        detect_many([patient], trained.path, tmp_path, fp_per_scan=3)


OLD_KEY = '"FalseFindingsInAHealthyScan"'


def test_a_result_that_names_a_choice_by_its_old_name_is_known_again(trained, patient, tmp_path):
    (first,) = detect_many([patient], trained.path, tmp_path, fp_per_scan=3).scans
    sidecar = first.outputs["sidecar"]
    text = sidecar.read_text()
    assert '"fp_per_scan": 3' in text
    assert '"FPPerScan"' in text
    old = text.replace('"fp_per_scan": 3', '"false_parts": 3').replace('"FPPerScan"', OLD_KEY)
    sidecar.write_text(old)
    with pytest.warns(FutureWarning, match="false_parts= is called fp_per_scan="):
        (again,) = detect_many([patient], trained.path, tmp_path, false_parts=3).scans
    assert again.status == "skipped"


def test_file_of_the_users_own_in_a_results_place_is_not_replaced_unasked(trained, patient, tmp_path):
    own = tmp_path / "sub-99" / "anat" / "sub-99_desc-anomaly_mask.nii.gz"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"drawn by hand")
    with pytest.raises(UsageError, match="not one of ours"):
        detect_many([patient], trained.path, tmp_path)
    table = own.rename(own.with_name("sub-99_desc-anomaly_findings.tsv"))
    with pytest.raises(ResultThereError, match=r"findings\.tsv: exists already\. Pass force=True"):
        detect_many([patient], trained.path, tmp_path)
    assert table.read_bytes() == b"drawn by hand"


def test_scans_of_one_name_are_refused_before_one_replaces_the_other(trained, patient, tmp_path):
    again = tmp_path / "other" / patient.name
    again.parent.mkdir()
    shutil.copy(patient, again)
    with pytest.raises(UsageError, match="would both be written as sub-99 in"):
        detect_many([patient, again], trained.path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_scan_that_fails_does_not_end_the_others(trained, patient, tmp_path):
    broken = tmp_path / "sub-00_T1w.nii.gz"
    broken.write_bytes(b"no scan")
    outcomes = detect_many([broken, patient], trained.path, tmp_path / "out").scans
    assert [one.status for one in outcomes] == ["error", "done"]
    assert "sub-00_T1w.nii.gz" in outcomes[0].error


def test_mask_of_one_scan_is_not_taken_for_all(trained, patient, unseen, tmp_path):
    with pytest.raises(UsageError, match="is one file for 2 scans"):
        detect_many([patient, unseen[0]], trained.path, tmp_path, mask="mask.nii.gz")


def test_scan_that_is_not_there_fails_and_the_rest_goes_on(trained, patient, tmp_path):
    result = detect_many([tmp_path / "sub-1_T1w.nii", patient], trained.path, tmp_path / "out")
    assert [scan.status for scan in result.scans] == ["error", "done"]
    assert "there is no such file" in result.scans[0].error
    assert result.n_failed == 1


def test_second_run_on_the_folder_is_refused_while_the_first_works(trained, patient, unseen, tmp_path):
    refused = []

    def intrude(scan: Path, text: str) -> None:
        if text != "load":
            return
        for second in (detect_many, lambda scans, *rest: detect(scans[0], *rest)):
            with pytest.raises(OutputError, match="is writing here") as caught:
                second([unseen[0]], trained.path, tmp_path)
            refused.append(str(caught.value))

    result = detect_many([patient, unseen[1]], trained.path, tmp_path, progress=intrude)
    assert len(refused) == 4
    assert [scan.status for scan in result.scans] == ["done", "done"]
    assert not (tmp_path / ".medunsup.lock").exists()


def test_model_trained_anew_in_its_place_is_the_one_that_looks(people, patient, tmp_path):
    scans = sorted(people.iterdir())
    model = write_small_model(tmp_path / "model", scans[:6])
    first = detect_many([patient], model, tmp_path / "out")
    shutil.rmtree(model)
    write_small_model(model, scans[6:12])
    with pytest.raises(UsageError, match="is there already, made with another model"):
        detect_many([patient], model, tmp_path / "out")
    before = json.loads(first.scans[0].outputs["sidecar"].read_text())
    again = detect_many([patient], model, tmp_path / "out", force=True)
    after = json.loads(again.scans[0].outputs["sidecar"].read_text())
    assert after["Medunsup"]["Model"] != before["Medunsup"]["Model"]
    assert after["ScanScore"] != before["ScanScore"]


def test_progress_and_outcomes_are_told_as_they_come(trained, patient, unseen, tmp_path):
    told = []
    detect_many(
        [patient, unseen[0]],
        trained.path,
        tmp_path,
        progress=lambda scan, text: told.append(text),
        finished=lambda outcome: told.append(outcome.scan.name),
    )
    assert told[:2] == ["reading the model", "load"]
    assert told.index(patient.name) < told.index("load", 2)
    assert told[-2:] == ["save", unseen[0].name]


def test_table_holds_every_scan_of_all_runs(trained, patient, unseen, tmp_path):
    alone = detect_many([patient], trained.path, tmp_path)
    assert alone.group_page is None
    assert not (tmp_path / "anomalies.tsv").exists()
    both = detect_many([unseen[0]], trained.path, tmp_path)
    assert both.group_page == tmp_path / "anomaly_group.html"
    rows = {row["scan"]: row for row in csv.DictReader((tmp_path / "anomalies.tsv").open(), delimiter="\t")}
    assert set(rows) == {patient.name, unseen[0].name}
    assert rows[patient.name]["p_value"] == "0.125"
    assert (rows[patient.name]["alpha"], rows[patient.name]["verdict"]) == ("n/a", "no verdict")
    assert "support no false-positive rate" in rows[patient.name]["remarks"]
    assert both.group_page.read_text("utf-8").count("support no false-positive rate") == 1
    found_ml = sum(alone.scans[0].volumes_mm3) / 1000
    assert float(rows[patient.name]["findings_ml"]) == pytest.approx(found_ml, abs=1e-3)
    assert int(rows[patient.name]["n_findings"]) == len(alone.scans[0].volumes_mm3)


def assert_withheld(outcome, row):
    """Its numbers mean nothing, so no script gets them; the scan's own record keeps them."""
    assert {row[name] for name in ("p_value", "n_findings", "findings_ml", "largest_ml")} == {"n/a"}
    told = outcome.as_json()
    assert (told["p_value"], told["volumes_mm3"], told["is_anomalous"]) == (None, None, None)
    assert 0 < json.loads(outcome.outputs["sidecar"].read_text())["PValue"] <= 1


def test_flagged_scan_has_no_verdict_in_the_table(trained, unseen, small_brain, tmp_path):
    other = write_person(tmp_path / "sub-53_T2w.nii.gz", small_brain, 53, contrast="T2w")
    result = detect_many([other, unseen[0]], trained.path, tmp_path / "out", alpha=0.5)
    table = csv.DictReader((tmp_path / "out" / "anomalies.tsv").open(), delimiter="\t")
    rows = {row["scan"]: row for row in table}
    assert rows[other.name]["verdict"] == "OOD"
    assert {"contrast", "pattern"} <= set(rows[other.name]["flags"].split(","))
    assert_withheld(result.scans[0], rows[other.name])
    assert 0 < float(rows[unseen[0].name]["p_value"]) == pytest.approx(result.scans[1].p_value, rel=1e-4)
    judged = "unusual" if result.scans[1].is_anomalous else "not unusual"
    assert (rows[unseen[0].name]["verdict"], rows[unseen[0].name]["flags"]) == (judged, "none")


def test_scan_the_model_has_seen_is_called_so_in_the_table(trained, people, unseen, tmp_path):
    known = min(people.iterdir())
    result = detect_many([known, unseen[0]], trained.path, tmp_path, alpha=0.2)
    rows = {row["scan"]: row for row in csv.DictReader((tmp_path / "anomalies.tsv").open(), delimiter="\t")}
    assert rows[known.name]["verdict"] == "in the training set"
    assert_withheld(result.scans[0], rows[known.name])
    assert rows[unseen[0].name]["verdict"] in ("unusual", "not unusual")


def test_scan_that_failed_is_named_with_the_reason_until_a_later_run_does_it(trained, unseen, tmp_path):
    def rows() -> dict[str, dict[str, str]]:
        with (tmp_path / "out" / "anomalies.tsv").open() as file:
            return {row["scan"]: row for row in csv.DictReader(file, delimiter="\t")}

    broken = tmp_path / "private" / unseen[0].name
    broken.parent.mkdir()
    broken.write_bytes(b"no scan")
    first = detect_many([broken, unseen[1]], trained.path, tmp_path / "out")
    assert rows()[broken.name] == dict.fromkeys(rows()[broken.name], "n/a") | {
        "scan": broken.name,
        "verdict": "error",
        "error": first.scans[0].error.removeprefix(f"{broken}: "),
    }
    text = first.group_page.read_text("utf-8")
    assert first.scans[0].error.removeprefix(f"{broken}: ") in html.unescape(text)
    assert "private" not in text
    shutil.copy(unseen[0], broken)
    detect_many([broken, unseen[1]], trained.path, tmp_path / "out")
    assert rows()[broken.name]["verdict"] != "error"
    assert 'id="failed"' not in first.group_page.read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("/home/ann lee/a.nii: is cut short", "is cut short"),
        (
            "/data/bo/mask.nii: lies beside /home/ann lee/a.nii and/or b",
            "mask.nii: lies beside a.nii and/or b",
        ),
        ("not read. See https://example.org/a/b.", "not read. See https://example.org/a/b."),
    ],
)
def test_error_on_the_page_names_files_and_no_folders(error, told):
    assert without_folders(error, Path("/home/ann lee/a.nii")) == told


def test_defect_in_the_page_of_all_scans_costs_the_page_alone(
    trained, patient, unseen, tmp_path, monkeypatch
):
    def broken(*_: object) -> Path:
        raise ZeroDivisionError

    monkeypatch.setattr("medunsup.report.detect.group_page.write_group_page", broken)
    result = detect_many([patient, unseen[0]], trained.path, tmp_path)
    assert (result.n_failed, result.group_page) == (0, None)
    assert (tmp_path / "anomalies.tsv").exists()


def test_table_of_the_users_own_is_not_replaced(trained, patient, tmp_path):
    (tmp_path / "anomalies.tsv").write_text("my\tnumbers\n")
    with pytest.raises(OutputError, match="not ours"):
        detect_many([patient], trained.path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["anomalies.tsv"]


def test_results_of_segment_and_detect_lie_in_one_folder(trained, unseen, tmp_path):
    choices = {"method": "kmeans", "parameters": {"max_voxels": 1000}}
    segmented = segment_many(unseen[:2], tmp_path, **choices)
    before = segmented.group_page.read_bytes()
    looked_at = detect_many(unseen[:2], trained.path, tmp_path)
    assert (segmented.n_failed, looked_at.n_failed) == (0, 0)
    assert segmented.group_page.read_bytes() == before
    shared = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert {"volumes.tsv", "group_report.html", "anomalies.tsv", "anomaly_group.html"} <= shared
