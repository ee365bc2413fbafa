"""Classifying scans: labels by subject from a table, the test split drawn or named, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from helpers.cohort_to_classify import write_cohort
from helpers.healthy_scans import SPACING_MM

import medunsup
from medunsup.cohort.encoders.folder import read_encoder
from medunsup.cohort.labelled.alike import before_of
from medunsup.cohort.labelled.read import Source, find_labelled
from medunsup.core.errors import InputError, UsageError

ENCODER = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
TINY = {"steps": 2, "batch_size": 4}
N_PRETRAINED, N_PEOPLE = 3, 12

pytestmark = pytest.mark.usefixtures("quick_registration")


@pytest.fixture(scope="module")
def cohort(small_brain, tmp_path_factory) -> Path:
    """Scans of subjects, some of whom an encoder is pretrained on, and a table of labels."""
    return write_cohort(
        tmp_path_factory.mktemp("cohort"),
        small_brain,
        pretrained=N_PRETRAINED,
        subjects=N_PEOPLE,
        parameters=ENCODER,
    )


def classified(cohort: Path, out: Path, data: Path | None = None, **more):
    choices = {"labels": cohort / "labels.csv", "column": "diagnosis", "parameters": TINY} | more
    return medunsup.finetune(
        cohort / "run",
        data or cohort / "scans",
        out,
        task="classify",
        cache=cohort / "prepared",
        **choices,
    )


def test_scans_are_told_apart_by_a_table_and_tested_on_whom_pretraining_has_not_seen(cohort, tmp_path):
    found = classified(cohort, tmp_path / "out")
    assert [one["name"] for one in found.manifest.labels] == ["AD", "HC"]
    assert (found.manifest.spacing_mm, found.manifest.contrast) == (SPACING_MM, "T1w")
    rows = [line.split("\t") for line in (found.path / "scans.tsv").read_text().splitlines()[1:]]
    assert len(rows) == N_PEOPLE
    assert {row[0] for row in rows if row[1] == "test"}.isdisjoint({"sub-00", "sub-01", "sub-02"})
    of = {row[0]: row[4] for row in rows}
    assert all(of[f"sub-{n:02d}"] == ("AD" if n % 2 else "HC") for n in range(N_PEOPLE))


def test_numbers_of_labelled_subjects_hold_one_of_each_class(cohort, tmp_path):
    found = classified(cohort, tmp_path / "out", labelled=(1,), baselines=False)
    assert [one["subjects"] for one in found.figures["Shares"]][1:] == [2]


def test_scans_need_a_table_that_knows_them(cohort, tmp_path):
    with pytest.raises(UsageError, match="scans hold no labels"):
        classified(cohort, tmp_path / "out", labels=None, column=None)
    with pytest.raises(UsageError, match="There is no 'sex'"):
        classified(cohort, tmp_path / "out", column="sex")
    (tmp_path / "few.csv").write_text("subject,diagnosis\nsub-00,HC\nsub-01,AD\n")
    with pytest.raises(InputError, match="says nothing of 10 subjects"):
        classified(cohort, tmp_path / "out", labels=tmp_path / "few.csv")
    (tmp_path / "more.csv").write_text((cohort / "labels.csv").read_text() + "sub-77,70,AD\n")
    with pytest.raises(InputError, match="names 1 subjects that have no scan"):
        classified(cohort, tmp_path / "out", labels=tmp_path / "more.csv")


def test_calibration_scans_of_a_table_are_left_out_and_counted(cohort, tmp_path):
    scans = sorted((cohort / "scans").iterdir())[N_PRETRAINED:]
    named = ["test", "test", "calibration", "validation", *["train"] * (len(scans) - 4)]
    rows = [f"{scan}\t{split}" for scan, split in zip(scans, named, strict=True)]
    (tmp_path / "scans.tsv").write_text("\n".join(["scan\tsplit", *rows]) + "\n")
    few = [line for line in (cohort / "labels.csv").read_text().splitlines() if line[:6] > "sub-02"]
    (tmp_path / "labels.csv").write_text("\n".join(few) + "\n")
    source = Source(tmp_path / "scans.tsv", tmp_path / "labels.csv", "diagnosis")
    found = find_labelled(source, before_of(read_encoder(cohort / "run")), lambda stage: None)
    assert {split: len(lines) for split, lines in found.lines.items()} == {"train": 6, "test": 2}
    assert found.remarks == ("Images left out: split calibration (1).",)


def test_test_subjects_of_the_pretraining_are_refused(cohort, tmp_path):
    scans = sorted((cohort / "scans").iterdir())
    rows = [f"{scan}\t{'test' if n < 4 else 'train'}" for n, scan in enumerate(scans)]
    (tmp_path / "scans.tsv").write_text("\n".join(["scan\tsplit", *rows]) + "\n")
    with pytest.raises(InputError, match="3 of 4 of the test split were seen by pretraining"):
        classified(cohort, tmp_path / "out", tmp_path / "scans.tsv")


def test_an_encoder_of_scans_takes_no_images(cohort, tmp_path):
    np.savez(tmp_path / "i.npz", train_images=np.zeros((4, 8, 8)), test_images=np.zeros((4, 8, 8)))
    with pytest.raises(UsageError, match="was pretrained on scans"):
        classified(cohort, tmp_path / "out", tmp_path / "i.npz", labels=None, column=None)
