"""Who counts as seen: the same values, the same person, or nearly the same image; and nobody else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.encoders.overlap import Known, fingerprints, overlap, refuse_overlap
from medunsup.core.errors import InputError


def line(name: str, *, subject: str = "", data_set: str = "n/a", content: str = "") -> Seen:
    return Seen(subject or name, "train", name, f"file of {name}", content or f"values of {name}", data_set)


def whys(tested: Known, seen: Known) -> list[tuple[str, str, str]]:
    return [(one.tested.scan, one.seen.scan, one.why) for one in overlap(tested, seen)]


def known(*lines: Seen, values: np.ndarray | None = None) -> Known:
    return Known(lines, None if values is None else fingerprints(values))


def images(n: int, seed: int = 0, side: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 1, side, side, 1)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(0.2, 3), st.floats(-1, 1))
def test_brightness_and_contrast_leave_a_fingerprint_as_it_is(seed, contrast, brightness):
    values = images(1, seed)
    first, second = fingerprints(values), fingerprints(values * np.float32(contrast) + np.float32(brightness))
    assert float((first @ second.T)[0, 0]) == pytest.approx(1, abs=1e-4)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)


def test_different_images_have_other_fingerprints_and_constant_ones_are_like_nothing():
    marks = fingerprints(np.concatenate([images(20), np.full((2, 1, 24, 24, 1), 0.3, np.float32)]))
    alike = marks @ marks.T
    np.fill_diagonal(alike, 0)
    assert alike.max() < 0.5
    assert not marks[20:].any()


def test_volumes_of_any_sides_and_channels_have_fingerprints():
    marks = fingerprints(np.random.default_rng(0).random((2, 2, 33, 17, 5)))
    assert marks.shape == (2, 2 * 16 * 16 * 5)


def test_the_same_values_the_same_person_and_a_noisy_copy_are_found():
    values = images(4)
    noisy = values + np.random.default_rng(1).normal(0, 1e-3, values.shape).astype(np.float32)
    seen = known(*(line(f"old{n}", subject=f"sub-{n}") for n in range(4)), values=values)
    tested = known(
        line("a", content="values of old0"),
        line("b", subject="sub-1"),
        line("c"),
        line("d"),
        values=np.concatenate([images(2, 5), noisy[2:3], images(1, 6)]),
    )
    found = whys(tested, seen)
    assert found[:2] == [("a", "old0", "same values"), ("b", "old1", "subject sub-1")]
    assert [one[:2] for one in found[2:]] == [("c", "old2")]
    assert found[2][2].startswith("correlation 0.999")


def test_subjects_of_one_name_in_two_named_data_sets_are_two_people():
    one, other = line("a", subject="sub-01", data_set="x"), line("b", subject="sub-01", data_set="y")
    assert not whys(known(one), known(other))
    assert whys(known(one), known(line("b", subject="sub-01")))  # which might be anybody's


def test_the_error_names_pairs_and_the_remedy():
    tested = known(*(line(f"new{n}", subject=f"sub-{n}") for n in range(5)))
    seen = known(*(line(f"old{n}", subject=f"sub-{n}") for n in range(5)))
    with pytest.raises(InputError) as refused:
        refuse_overlap(tested, seen, by="pretraining", remedy="Leave them out.")
    said = str(refused.value)
    assert said.startswith("5 of 5 of the test split were seen by pretraining: new0 is old0 (subject sub-0);")
    assert said.endswith("and 2 more. Leave them out.")
    refuse_overlap(tested, known(line("other")), by="pretraining", remedy="")
