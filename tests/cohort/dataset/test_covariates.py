"""Covariates belong to the scan that their row names, and are finite numbers."""

from pathlib import Path

import numpy as np
import pytest

from medunsup.cohort.dataset.covariates import covariates_of_cases, covariates_of_images
from medunsup.cohort.dataset.sources import Case
from medunsup.core.errors import InputError, UsageError


@pytest.fixture
def cases(tmp_path):
    return [Case(tmp_path / name / "T1w.nii.gz", f"sub-{name}") for name in ("b", "a", "c")]


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("prefix", ["", "sub-"])
def test_rows_are_found_by_subject_in_any_order(tmp_path, cases, prefix):
    rows = [
        f"{prefix}{name}\t{age}\t{bmi}" for name, age, bmi in (("a", 1, 0.5), ("b", 2, 1e1), ("c", 3, -1))
    ]
    table(tmp_path / "participants.tsv", "participant_id\tage\tbmi", *rows)
    found = covariates_of_cases(cases, tmp_path, ("bmi", "age"))
    np.testing.assert_array_equal(found, [[10, 2], [0.5, 1], [-1, 3]])


def test_scans_of_one_name_are_told_apart_by_their_folders(tmp_path, cases):
    rows = [f"{name}/T1w.nii.gz\t{age}" for name, age in (("a", 1), ("b", 2), ("c", 3))]
    source = table(tmp_path / "scans.tsv", "scan\tage", *rows)
    np.testing.assert_array_equal(covariates_of_cases(cases, source, ("age",)), [[2], [1], [3]])


@pytest.mark.parametrize("cell", ["n/a", "", "old", "inf"])
def test_a_cell_that_is_no_finite_number_is_told_with_its_subject(tmp_path, cases, cell):
    source = table(tmp_path / "t.tsv", "subject\tage", "a\t1", f"b\t{cell}", "c\t3")
    with pytest.raises(InputError, match="age of sub-b is "):
        covariates_of_cases(cases, source, ("age",))


def test_what_is_missing_is_named(tmp_path, cases):
    with pytest.raises(UsageError, match=r"participants\.tsv: is not there"):
        covariates_of_cases(cases, tmp_path, ("age",))
    source = table(tmp_path / "t.tsv", "subject\tage", "a\t1", "b\t2")
    with pytest.raises(UsageError, match="no column weight, only subject, age"):
        covariates_of_cases(cases, source, ("weight",))
    with pytest.raises(InputError, match="no row of sub-c"):
        covariates_of_cases(cases, source, ("age",))


def test_arrays_of_images_are_laid_out_by_split(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, train_age=np.arange(3), val_age=np.array([[7.5]]), train_sex=np.ones(3), val_sex=[0.0])
    found = covariates_of_images(path, {"train": 3, "validation": 1}, ("age", "sex"))
    np.testing.assert_array_equal(found["train"], [[0, 1], [1, 1], [2, 1]])
    np.testing.assert_array_equal(found["validation"], [[7.5, 0]])


@pytest.mark.parametrize("given", [np.arange(4), np.array(["a", "b", "c"]), np.array([1, np.nan, 2])])
def test_arrays_that_hold_other_than_a_number_an_image_are_refused(tmp_path, given):
    np.savez(tmp_path / "images.npz", train_age=given)
    with pytest.raises(InputError, match="one finite number an image"):
        covariates_of_images(tmp_path / "images.npz", {"train": 3}, ("age",))
    with pytest.raises(UsageError, match="holds no train_bmi"):
        covariates_of_images(tmp_path / "images.npz", {"train": 3}, ("bmi",))
