"""Probing scans: labels by subject, splits drawn or named, and scans unlike those of pretraining."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.cohort_to_classify import write_cohort, write_unlike

import medunsup
from medunsup.core.errors import InputError, UsageError

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
N_PRETRAINED, N_PEOPLE = 4, 16


@pytest.fixture(scope="module")
def cohort(small_brain, tmp_path_factory) -> Path:
    """Scans of subjects, some of whom an encoder is pretrained on, and a table of labels."""
    return write_cohort(
        tmp_path_factory.mktemp("cohort"),
        small_brain,
        pretrained=N_PRETRAINED,
        subjects=N_PEOPLE,
        parameters=TINY,
    )


def probed(cohort: Path, out: Path, data: Path | None = None, **more):
    choices = {"labels": cohort / "labels.csv", "column": "diagnosis", "fractions": (1.0,)} | more
    return medunsup.probe(cohort / "run", data or cohort / "scans", out, cache=cohort / "prepared", **choices)


@pytest.mark.usefixtures("quick_registration")
class TestScans:
    def test_subjects_are_tested_on_whom_pretraining_has_not_seen(self, cohort, tmp_path):
        found = probed(cohort, tmp_path / "out")
        assert found.classes == ("AD", "HC")
        assert found.counts == {"train": 12, "test": 4}
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "figures.tsv",
            "probe.json",
            "report.html",
        }

    def test_a_table_that_tests_on_those_whom_pretraining_saw_is_refused(self, cohort, tmp_path):
        scans = sorted((cohort / "scans").iterdir())
        splits = ["test" if n < 6 else "train" for n in range(N_PEOPLE)]
        rows = [f"{scan}\t{split}" for scan, split in zip(scans, splits, strict=True)]
        (tmp_path / "table.tsv").write_text("\n".join(["scan\tsplit", *rows]) + "\n")
        heard = []
        with pytest.raises(InputError, match="4 of 6 of the test split were seen by pretraining: sub-00_T1w"):
            probed(cohort, tmp_path / "out", tmp_path / "table.tsv", progress=heard.append)
        assert not heard  # before any scan was prepared

    def test_a_file_under_another_name_is_known_again(self, cohort, tmp_path):
        folder, rows = tmp_path / "renamed", []
        folder.mkdir()
        for n, scan in enumerate(sorted((cohort / "scans").iterdir())):
            shutil.copy(scan, folder / f"sub-{n + 50}_T1w.nii.gz")
            rows.append(f"{n + 50},{'AD' if n % 2 else 'HC'}")
        (tmp_path / "labels.csv").write_text("\n".join(["id,diagnosis", *rows]) + "\n")
        found = probed(cohort, tmp_path / "out", folder, labels=tmp_path / "labels.csv", test=0.9)
        assert found.counts == {"train": 4, "test": 12}  # those whom pretraining saw are learned from

    def test_subjects_without_a_label_are_left_out_and_told(self, cohort, tmp_path):
        text = (cohort / "labels.csv").read_text().replace("sub-15,75,AD", "sub-15,75,n/a")
        (tmp_path / "labels.csv").write_text(text)
        found = probed(cohort, tmp_path / "out", labels=tmp_path / "labels.csv")
        assert sum(found.counts.values()) == 15
        assert found.remarks == ("Images left out: no label (1).",)

    def test_scans_of_another_contrast_are_refused(self, cohort, small_brain, tmp_path):
        folder = tmp_path / "t2"
        folder.mkdir()
        for n in range(N_PEOPLE):
            write_unlike(folder, small_brain, n, contrast="T2w")
        with pytest.raises(InputError, match="pretrained on T1w scans, these are T2w"):
            probed(cohort, tmp_path / "out", folder)

    def test_voxels_of_another_size_are_refused_with_the_numbers(self, cohort, tmp_path):
        from medunsup.cohort.encoders.folder import read_encoder
        from medunsup.cohort.labelled.alike import before_of, refuse_other_scans
        from medunsup.cohort.training.consistency import Common

        encoder = read_encoder(cohort / "run")
        usual = encoder.manifest.preprocessing.coarsest_mm
        before = before_of(encoder)
        assert before.preprocessing.spacing_mm > usual  # so finer voxels look alike on the grid
        refuse_other_scans(before, Common("T1w", 1.4 * encoder.manifest.preprocessing.spacing_mm, ()))
        refuse_other_scans(before, Common("T1w", usual / 3, ()))
        finer = replace(before, preprocessing=before.preprocessing.model_copy(update={"spacing_mm": 0.5}))
        for ratio in (1.6, 1 / 1.6):
            with pytest.raises(
                InputError, match=f"up to {usual:.2g} mm, these have up to {ratio * usual:.2g} mm"
            ):
                refuse_other_scans(finer, Common("T1w", ratio * usual, ()))

    def test_scans_need_a_table_and_an_encoder_of_scans_no_images(self, cohort, tmp_path):
        with pytest.raises(UsageError, match="scans hold no labels"):
            probed(cohort, tmp_path / "out", labels=None, column=None)
        np.savez(tmp_path / "i.npz", train_images=np.zeros((4, 8, 8)), test_images=np.zeros((4, 8, 8)))
        with pytest.raises(UsageError, match="was pretrained on scans"):
            probed(cohort, tmp_path / "out", tmp_path / "i.npz", labels=None, column=None)
