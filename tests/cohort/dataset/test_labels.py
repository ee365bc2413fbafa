"""Labels of scans and images: found whoever wrote the table, and refused where it does not fit."""

from pathlib import Path

import numpy as np
import pytest

from medunsup.cohort.dataset.labels import classes_of, labels_of_cases, labels_of_images
from medunsup.cohort.dataset.sources import Case
from medunsup.core.errors import InputError, UsageError

CASES = [Case(Path(f"sub-0{n}_T1w.nii.gz"), f"sub-0{n}") for n in (1, 2, 3)]


def table(tmp_path: Path, text: str, name: str = "labels.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "subject,diagnosis\nsub-01,AD\nsub-02,HC\nsub-03,n/a\n"),
        ("labels.csv", 'id,age,diagnosis\n03,50,n/a\n"01",70,AD\n02,60,HC\n'),
        ("labels.tsv", "participant_id\tdiagnosis\nsub-02\tHC\nsub-01\tAD\nsub-03\tn/a\n"),
        ("l.csv", "scan,diagnosis\nsub-01_T1w.nii.gz,AD\nsub-02_T1w.nii.gz,HC\nsub-03_T1w.nii.gz,\n"),
    ],
)
def test_rows_find_their_scans(tmp_path, name, text):
    assert labels_of_cases(CASES, table(tmp_path, text, name), "diagnosis") == ["AD", "HC", ""]


def test_the_only_column_needs_no_name(tmp_path):
    path = table(tmp_path, "subject,sex\nsub-01,m\nsub-02,f\nsub-03,f\n")
    assert labels_of_cases(CASES, path, None) == ["m", "f", "f"]


@pytest.mark.parametrize(
    ("text", "column", "error", "said"),
    [
        (
            "subject,a\nsub-01,x\nsub-02,y\n",
            "a",
            InputError,
            "says nothing of 1 subjects that have scans: sub-03",
        ),
        ("id,a\n01,x\n02,y\n03,y\n09,y\n", "a", InputError, "names 1 subjects that have no scan: 09"),
        ("subject,a,b\nsub-01,x,y\n", None, UsageError, "one of a, b"),
        ("subject,a\nsub-01,x\n", "diagnosis", UsageError, "There is no 'diagnosis'. Give"),
        ("name,a\nsub-01,x\n", "a", UsageError, "no column that says whose"),
        ("", "a", UsageError, "no column that says whose"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, text, column, error, said):
    with pytest.raises(error, match=said):
        labels_of_cases(CASES, table(tmp_path, text), column)


def test_a_table_that_is_not_there_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="there is no such file"):
        labels_of_cases(CASES, tmp_path / "gone.csv", "a")


def test_labels_of_images_are_words(tmp_path):
    np.savez(tmp_path / "i.npz", train_labels=np.array([[0], [1]]), test_labels=np.array([1.0, 0.0]))
    found = labels_of_images(tmp_path / "i.npz", {"train": 2, "test": 2})
    assert found == {"train": ["0", "1"], "test": ["1", "0"]}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "holds no train_labels"),
        (np.zeros((2, 3)), "one label an image"),
        (np.zeros(5), "for 2 images"),
    ],
)
def test_images_without_one_label_each_are_refused(tmp_path, labels, said):
    np.savez(tmp_path / "i.npz", **({} if labels is None else {"train_labels": labels}))
    with pytest.raises(InputError, match=said):
        labels_of_images(tmp_path / "i.npz", {"train": 2})


def test_classes_stand_in_the_order_of_their_numbers():
    assert classes_of({"train": ["10", "2", "HC"], "test": ["2", "10"]}, "x") == ("2", "10", "HC")


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (["a", "a"], ["a", "b"], r"training split holds one class alone \(a\)"),
        (["a", "b"], ["b"], r"test split holds one class alone \(b\)"),
        (["a", "b"], ["a", "c"], "holds c, which the training split does not"),
        ([str(n) for n in range(40)], ["0", "1"], "40 different labels"),
    ],
)
def test_what_are_no_classes_is_refused(train, test, said):
    with pytest.raises(InputError, match=said):
        classes_of({"train": train, "test": test}, "labels.csv")
