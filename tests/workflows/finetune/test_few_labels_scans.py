"""Learning with few labels on scans: tables with empty cells, more scans, label maps, whom to refuse."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.finetuned import ENCODER
from helpers.healthy_scans import SPACING_MM
from helpers.labelled_scans import write_pairs
from helpers.small_scans import place_quickly

import medunsup
from medunsup.core.errors import InputError, UsageError

TINY = {"steps": 2, "batch_size": 4}

pytestmark = pytest.mark.usefixtures("quick_registration")


@pytest.fixture(scope="module")
def cohort(small_brain, people, tmp_path_factory) -> Path:
    """An encoder, pairs.tsv of eight scans of which two training ones have no label map, and two more."""
    folder = tmp_path_factory.mktemp("cohort")
    table = write_pairs(folder / "pairs", small_brain)
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    for row in rows[4:6]:
        row[1] = "n/a"
    table.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    seen, more = folder / "seen", folder / "more"
    for place, scans in ((seen, sorted(people.iterdir())[:4]), (more, sorted(people.iterdir())[4:6])):
        place.mkdir()
        for scan in scans:
            shutil.copy(scan, place)
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        medunsup.pretrain("autoencoder", seen, folder / "run", parameters=ENCODER, spacing_mm=SPACING_MM)
    return folder


def segmented(cohort: Path, out: Path, method: str | None = "mean_teacher", data=None, **more):
    choices = {"parameters": TINY, "cache": cohort / "prepared"} | more
    return medunsup.finetune(
        cohort / "run", data or cohort / "pairs" / "pairs.tsv", out, few_labels=method, **choices
    )


def test_scans_without_label_maps_are_learned_from_and_the_network_predicts(cohort, tmp_path):
    done = segmented(cohort, tmp_path / "out", unlabelled=cohort / "more")
    about = done.manifest.few_labels
    assert (about["labelled"], about["unlabelled"], about["validation"]) == (2, 4, 1)
    assert list(done.figures["MeanDice"]) == ["semisupervised", "supervised"]
    assert about["on_validation"][about["kept"]] == max(about["on_validation"].values())
    scan = cohort / "pairs" / "sub-35_T1w.nii.gz"
    found = medunsup.predict(done.path, scan)
    written = medunsup.load(next((done.path / "predictions").glob("sub-35*")))
    np.testing.assert_array_equal(found.labels.data, written.data)
    assert found.network.dice == done.figures["MeanDice"][about["kept"]]["native"]["value"]
    page = (done.path / "report.html").read_text()
    assert "mean Dice on 1 validation scans" in page[: page.index("Dice on the test subjects")]


def test_scans_of_test_subjects_are_refused_among_the_unlabelled(cohort, tmp_path):
    (tmp_path / "more").mkdir()
    shutil.copy(cohort / "pairs" / "sub-36_T1w.nii.gz", tmp_path / "more" / "sub-99_T1w.nii.gz")
    with pytest.raises(InputError, match="seen by the unlabelled scans: sub-36_T1w"):
        segmented(cohort, tmp_path / "out", unlabelled=tmp_path / "more")
    (tmp_path / "more" / "sub-99_T1w.nii.gz").unlink()
    shutil.copy(cohort / "pairs" / "sub-30_T1w.nii.gz", tmp_path / "more" / "sub-37_T1w.nii.gz")
    shutil.copy(next((cohort / "more").iterdir()), tmp_path / "more" / "sub-35_T1w.nii.gz")
    with pytest.raises(InputError, match=r"1 of 3 .*\(subject sub-35\)"):
        segmented(cohort, tmp_path / "out", unlabelled=tmp_path / "more")


def test_what_has_no_label_map_is_refused_without_a_method_and_to_test_on(cohort, tmp_path):
    with pytest.raises(UsageError, match="2 of 8 scans have no label map"):
        segmented(cohort, tmp_path / "out", None)
    rows = [line.split("\t") for line in (cohort / "pairs" / "pairs.tsv").read_text().splitlines()]
    rows[7][1] = "n/a"
    table = cohort / "pairs" / "untested.tsv"
    table.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    with pytest.raises(UsageError, match=r"1 of 8 scans have no label map, .* of the test split"):
        segmented(cohort, tmp_path / "out", data=table)


def test_subjects_whose_cell_is_empty_are_learned_from_without_a_label(cohort, tmp_path):
    words = ["HC", "AD", "HC", "AD", "n/a", "HC", "AD", "HC"]
    rows = [f"sub-{30 + n},{word}" for n, word in enumerate(words)]
    (tmp_path / "labels.csv").write_text("\n".join(["subject,diagnosis", *rows]) + "\n")
    lines = [line.split("\t") for line in (cohort / "pairs" / "pairs.tsv").read_text().splitlines()]
    table = cohort / "pairs" / "scans.tsv"
    table.write_text("\n".join("\t".join((row[0], row[2])) for row in lines) + "\n")
    done = segmented(
        cohort,
        tmp_path / "out",
        "em",
        table,
        task="classify",
        labels=tmp_path / "labels.csv",
        unlabelled=cohort / "more",
        parameters={},
    )
    about = done.manifest.few_labels
    assert about["labelled"] + about["validation"] == 4
    assert about["unlabelled"] == 3
    assert about["validation"] == 2
