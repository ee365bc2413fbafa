"""A fine-tuned classifier on new scans: what it says, writes, flags and refuses."""

import csv
import json
import re

import pytest
from helpers import phantom
from helpers.classified import classified_scans, write_unlike
from helpers.healthy_scans import write_person
from helpers.small_scans import place_quickly
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import InputError, OutputError, ResultThereError, UsageError

pytestmark = pytest.mark.usefixtures("quick_registration")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classified")


@pytest.fixture(scope="module")
def network(folder, small_brain):
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        return classified_scans(folder, small_brain)


def rows_of(path):
    return list(csv.DictReader(path.open(), delimiter="\t"))


def test_the_probabilities_are_those_that_fine_tuning_gave_its_test_scans(network, folder):
    told = [row for row in rows_of(network.path / "probabilities.tsv") if row["network"] == "finetuned"]
    assert len(told) >= 4
    for row in told[:3]:
        found = medunsup.predict(network, folder / "scans" / row["scan"])
        assert found.probabilities["AD"] == pytest.approx(float(row["p_AD"]), abs=2e-6)
        assert sum(found.probabilities.values()) == pytest.approx(1)
        assert found.probabilities[found.predicted] == max(found.probabilities.values())
        assert "was tested on this scan" in " ".join(found.remarks)


def test_table_sidecar_and_page_say_the_same_and_no_map_is_written(network, small_brain, tmp_path):
    scan = write_unlike(tmp_path / "sub-80_T1w.nii.gz", small_brain, 80)
    found = medunsup.predict(network, scan, tmp_path / "out")
    place = tmp_path / "out" / "sub-80" / "anat"
    rows = rows_of(place / "sub-80_desc-predicted_classes.tsv")
    assert {row["class"]: float(row["probability"]) for row in rows} == pytest.approx(found.probabilities)
    told = json.loads((place / "sub-80_desc-predicted_classes.json").read_text())
    assert told["Predicted"] == found.predicted
    assert told["Network"]["weights_sha256"] == network.weights_sha256
    assert str(tmp_path) not in json.dumps(told)
    assert not list((tmp_path / "out").rglob("*.nii.gz"))
    page = (place / "sub-80_desc-predicted_report.html").read_text()
    area = network.figures["AUC"]["finetuned"]
    assert f"AUC {area['value']:.3f} [{area['low']:.3f}, {area['high']:.3f}] there" in page
    assert page.index("no expert has checked it") < page.index("AUC") < page.index("<table")
    assert page.count('class="bar"') == 2
    assert page.count("<svg role") == 3
    assert "http" not in page.replace("http-equiv", "")
    with pytest.raises(ResultThereError):
        medunsup.predict(network, scan, tmp_path / "out")
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    medunsup.predict(network, scan, tmp_path / "out", force=True)
    assert {path: path.read_bytes() for path in files} == files


def test_many_scans_make_one_table_and_one_page(network, small_brain, tmp_path):
    (tmp_path / "scans").mkdir()
    scans = [write_unlike(tmp_path / "scans" / f"sub-{n}_T1w.nii.gz", small_brain, n) for n in (81, 82)]
    other = write_person(tmp_path / "scans" / "sub-83_FLAIR.nii.gz", small_brain, 83, contrast="FLAIR")
    out = tmp_path / "out"
    done = medunsup.predict_many(network, [*scans, other], out)
    assert [scan.status for scan in done.scans] == ["done", "done", "error"]
    rows = rows_of(out / "predictions.tsv")
    assert [row["prediction"] for row in rows] == [done.scans[0].predicted, done.scans[1].predicted, "n/a"]
    for row, scan in zip(rows, done.scans[:2], strict=False):
        assert float(row["p_AD"]) == pytest.approx(scan.probabilities["AD"], abs=1e-6)
    page = done.group_page.read_text()
    assert "No expert has checked these classes" in page
    assert re.search(r"AUC 0\.\d+|AUC 1\.000", page)
    told = CliRunner().invoke(app, ["predict", str(network.path), *map(str, scans), "-o", str(out)])
    assert told.exit_code == 0
    assert re.search(r"(AD|HC) \d\.\d\d, (AD|HC) \d\.\d\d; not checked.*done already", told.stdout)


def test_a_scan_unlike_the_training_scans_is_flagged_first_of_all(network, tmp_path):
    brain = phantom.make_anatomy(spacing_mm=(5, 5, 5), scale=0.7)
    scan = write_person(tmp_path / "small_T1w.nii.gz", brain, 84)
    found = medunsup.predict(network, scan, tmp_path / "out")
    assert {"missing", "brain"} <= {flag.name for flag in found.flags}
    page = (tmp_path / "out" / "small_T1w_desc-predicted_report.html").read_text()
    assert page.index("Unlike the scans it was fine-tuned on") < page.index("<table")


def test_what_does_not_go_with_classes_is_refused(network, finetuned, small_brain, tmp_path):
    scan = write_unlike(tmp_path / "sub-85_T1w.nii.gz", small_brain, 85)
    with pytest.raises(UsageError, match=r"probabilities=True.* goes with a network that segments"):
        medunsup.predict(network, scan, probabilities=True)
    with pytest.raises(UsageError, match="holds images; diagnosis was fine-tuned to classify scans"):
        medunsup.predict(network, tmp_path / "images.npz")
    with pytest.raises(InputError, match="is FLAIR"):
        medunsup.predict(network, scan, contrast="FLAIR")
    medunsup.predict_many(network, [scan], tmp_path / "out")
    with pytest.raises(OutputError, match="fine-tuned to classify scans; this one was to segment"):
        medunsup.predict_many(finetuned, [scan], tmp_path / "out")


def test_prepared_scan_is_written_where_asked_for(network, small_brain, tmp_path):
    scan = write_unlike(tmp_path / "sub-86_T1w.nii.gz", small_brain, 86)
    medunsup.predict_many(network, [scan], tmp_path / "out", prepared=True)
    assert [path.name for path in (tmp_path / "out").rglob("*.nii.gz")] == [
        "sub-86_space-template_desc-prepared_T1w.nii.gz"
    ]
