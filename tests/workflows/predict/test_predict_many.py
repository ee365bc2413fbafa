"""Many scans, one network: what is done is skipped, what fails stops nothing, one table, one page."""

import csv
import shutil
from pathlib import Path

import pytest
from helpers.healthy_scans import write_person

import medunsup
from medunsup.core.errors import UsageError

IN_EACH_PROCESS = """
import sys
sys.path.insert(0, {tests!r})
import pytest
from helpers.small_scans import place_quickly
place_quickly(pytest.MonkeyPatch())
"""


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.fixture
def scans(small_brain, tmp_path) -> list[Path]:
    return [write_person(tmp_path / f"sub-{n}_T1w.nii.gz", small_brain, n) for n in (50, 51)]


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "predictions.tsv").open(), delimiter="\t"))


def test_what_is_done_is_skipped_and_what_fails_is_named(finetuned, scans, small_brain, tmp_path):
    out = tmp_path / "out"
    other = write_person(tmp_path / "sub-52_FLAIR.nii.gz", small_brain, 52, contrast="FLAIR")
    first = medunsup.predict_many(finetuned, [*scans, other], out)
    assert [scan.status for scan in first.scans] == ["done", "done", "error"]
    assert "fine-tuned on T1w" in str(first.scans[2].error)
    rows = rows_of(out)
    assert [row["verdict"] for row in rows] == ["unchecked", "unchecked", "error"]
    assert float(rows[0]["label_1_ml"]) == pytest.approx(first.scans[0].volumes_ml["label 1"], abs=1e-3)
    page = first.group_page.read_text()
    assert "sub-50_desc-predicted_report.html" in page
    assert "fine-tuned on T1w" in page
    again = medunsup.predict_many(finetuned, scans, out)
    assert [scan.status for scan in again.scans] == ["skipped", "skipped"]
    assert again.scans[0].volumes_ml == first.scans[0].volumes_ml
    with pytest.raises(UsageError, match="probabilities False, not True"):
        medunsup.predict_many(finetuned, scans, out, probabilities=True)


def test_results_of_another_network_are_not_replaced_unasked(finetuned, scans, tmp_path):
    out = tmp_path / "out"
    medunsup.predict_many(finetuned, scans[:1], out)
    shutil.copytree(finetuned.path, tmp_path / "other")
    text = (tmp_path / "other" / "finetune.json").read_text()
    (tmp_path / "other" / "finetune.json").write_text(text.replace(finetuned.weights_sha256, "0" * 64))
    with pytest.raises(UsageError, match="made with another model"):
        medunsup.predict_many(tmp_path / "other", scans[:1], out)


@pytest.mark.slow
def test_two_processes_give_what_one_gives(finetuned, scans, tmp_path, monkeypatch):
    (tmp_path / "python").mkdir()
    code = IN_EACH_PROCESS.format(tests=str(Path(__file__).parents[2]))
    (tmp_path / "python" / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"), prepend=":")
    one = medunsup.predict_many(finetuned, scans, tmp_path / "one")
    two = medunsup.predict_many(finetuned, scans, tmp_path / "two", jobs=2)
    assert [scan.volumes_ml for scan in two.scans] == [scan.volumes_ml for scan in one.scans]
    for scan in one.scans:
        name = scan.outputs["dseg"].relative_to(tmp_path / "one")
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
