"""Classifying scans: labels by subject from a table, the test split drawn or named, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from helpers import phantom
from helpers.healthy_scans import SPACING_MM
from scipy.ndimage import gaussian_filter

import medunsup
from medunsup.core.errors import InputError, UsageError

ENCODER = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
TINY = {"steps": 2, "batch_size": 4}
N_PRETRAINED, N_PEOPLE = 3, 12

pytestmark = pytest.mark.usefixtures("quick_registration")


def write_unlike(folder: Path, brain: phantom.Anatomy, n: int) -> None:
    """Write a person whose tissue varies smoothly by itself."""
    image = brain.image("T1w", seed=n, noise=0.02)
    field = gaussian_filter(np.random.default_rng(n).normal(size=image.data.shape), 2)
    values = image.data * (1 + 0.2 * field / field.std()) * brain.mask.data
    phantom.save(image.like(values.astype(np.float32)), folder / f"sub-{n:02d}_T1w.nii.gz")


@pytest.fixture(scope="module")
def cohort(small_brain, tmp_path_factory) -> Path:
    """Scans of people, some of whom an encoder is pretrained on, and a table of labels."""
    folder = tmp_path_factory.mktemp("cohort")
    for name, members in (("seen", range(N_PRETRAINED)), ("scans", range(N_PEOPLE))):
        (folder / name).mkdir()
        for n in members:
            write_unlike(folder / name, small_brain, n)
    rows = [f"sub-{n:02d},{60 + n},{'AD' if n % 2 else 'HC'}" for n in range(N_PEOPLE)]
    (folder / "labels.csv").write_text("\n".join(["subject,age,diagnosis", *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        from helpers.small_scans import place_quickly

        place_quickly(patch)
        medunsup.pretrain(
            "autoencoder", folder / "seen", folder / "run", parameters=ENCODER, spacing_mm=SPACING_MM
        )
    return folder


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
    with pytest.raises(UsageError, match="Whose label is which"):
        classified(cohort, tmp_path / "out", labels=None, column=None)
    with pytest.raises(UsageError, match="There is no 'sex'"):
        classified(cohort, tmp_path / "out", column="sex")
    (tmp_path / "few.csv").write_text("subject,diagnosis\nsub-00,HC\nsub-01,AD\n")
    with pytest.raises(InputError, match="says nothing of 10 subjects"):
        classified(cohort, tmp_path / "out", labels=tmp_path / "few.csv")
    (tmp_path / "more.csv").write_text((cohort / "labels.csv").read_text() + "sub-77,70,AD\n")
    with pytest.raises(InputError, match="names 1 subjects that have no scan"):
        classified(cohort, tmp_path / "out", labels=tmp_path / "more.csv")


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
