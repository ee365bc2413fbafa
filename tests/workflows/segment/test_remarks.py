"""What is said of a scan whatever the verdict: volumes that are the template's."""

import numpy as np
import pytest

from medunsup.core.volume import Volume
from medunsup.preprocess.registration.affine import Registration
from medunsup.workflows.segment.remarks import remarks

AWAY = np.diag([0.85, 0.85, 0.85, 1.0])
PERSON = Registration(AWAY, 0.5, fits=True)


def scan(*spacing_mm: float) -> Volume:
    return Volume(np.zeros((4, 4, 4), np.float32), np.diag([*spacing_mm, 1.0]))


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.5, 0.5, 2.9), (2.0, 2.0, 2.0)])
def test_nothing_is_remarked_on_a_thin_scan_of_a_person(spacing_mm):
    assert list(remarks(scan(*spacing_mm), PERSON)) == []


@pytest.mark.parametrize(("n", "words"), [(2, "not tissues by name"), (3, "GM, WM and CSF")])
def test_a_number_of_classes_that_was_not_given_is_told_with_its_reason(n, words):
    (told,) = remarks(scan(1, 1, 1), PERSON, {"chosen": n, "rule": "elbow of the inertia"})
    assert told.startswith(f"{n} classes")
    assert words in told
    assert "elbow of the inertia" in told


def test_in_template_space_volumes_are_said_to_be_the_templates():
    normalised = np.diag([1.02, 1.02, 1.02, 1.0])
    (told,) = remarks(scan(1, 1, 1), Registration(normalised, 0.5, fits=True))
    assert "larger than most people's" in told
    assert list(remarks(scan(1, 1, 1), Registration(normalised, 0.5, fits=False))) == []
    aside = np.eye(4)
    aside[:3, 3] = (0, 30, 0)
    assert list(remarks(scan(1, 1, 1), Registration(aside, 0.5, fits=True))) == []
