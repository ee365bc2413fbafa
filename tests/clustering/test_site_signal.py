"""A classifier finds the scanner in features, and no longer once they are harmonised inside the folds."""

import numpy as np
import pytest

from medunsup.clustering.harmonise import site_signal
from medunsup.core.errors import ArrayError


def cohort(seed: int, *, offset: float = 0.0, ratio: float = 1.0, n: int = 120, d: int = 8):
    draw = np.random.default_rng(seed)
    place = np.arange(n) % 3
    X = draw.normal(size=(n, d)) * np.array([1, 1, ratio])[place][:, None] + offset * place[:, None]
    return X, np.array(["A", "B", "C"])[place].tolist()


@pytest.mark.parametrize("effect", [{"offset": 1.0}, {"ratio": 3.0}], ids=["mean", "spread"])
def test_a_scanner_is_found_and_no_longer_after_harmonising(effect):
    found = site_signal(*cohort(0, **effect))
    assert found.is_there_before
    assert not found.is_there_after
    assert found.before.low <= found.before.value <= found.before.high
    assert abs(found.after.value - 1 / 3) < 0.12
    assert found.chance == pytest.approx(1 / 3)


def test_without_a_scanners_mark_none_is_found():
    assert sum(site_signal(*cohort(seed)).is_there_before for seed in range(8)) <= 1


def test_all_rows_told_still_have_an_interval():
    found = site_signal(*cohort(1, offset=50.0))
    assert found.before.value == 1
    assert 0.9 < found.before.low < 1


def test_older_people_in_one_site_are_not_taken_for_its_scanner():
    draw = np.random.default_rng(3)
    place = np.arange(160) % 2
    age = draw.uniform(40, 80, 160) + 15 * place
    X, sites = draw.normal(size=(160, 6)) + 0.1 * age[:, None], np.where(place == 0, "A", "B").tolist()
    assert site_signal(X, sites).is_there_before
    assert not site_signal(X, sites, covariates={"age": age}).is_there_before


def test_the_same_seed_gives_the_same_numbers():
    X, sites = cohort(0, offset=0.3)
    assert site_signal(X, sites, seed=4) == site_signal(X, sites, seed=4)


def test_sites_of_few_rows_are_left_out_and_named():
    X, sites = cohort(0, offset=1.0)
    found = site_signal(X, ["lonely", *sites[1:]])
    assert found.left_out == ("lonely",)
    assert found.chance == pytest.approx(1 / 3)


def test_one_site_alone_is_refused():
    with pytest.raises(ArrayError, match="Fewer than two sites"):
        site_signal(np.ones((5, 2)), ["A"] * 4 + ["B"])
    with pytest.raises(ArrayError, match="with N sites"):
        site_signal(np.ones((5, 2)), ["A"])
