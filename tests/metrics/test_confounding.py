"""A scanner that only patients saw is named before any figure is believed."""

import numpy as np

from medunsup.metrics.confounding import confounding


def rows(**columns):
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def test_groups_from_two_sites_are_completely_confounded():
    (found,) = confounding(rows(site=["A"] * 5), rows(site=["B", "C", "B"]))
    assert (found.fact, found.strength, found.distance) == ("site", "complete", 1)
    assert "site" in found.sentence


def test_groups_that_share_their_sites_equally_are_not_confounded():
    (found,) = confounding(rows(site=["A", "B"] * 10), rows(site=["B", "A"] * 6))
    assert (found.strength, found.distance) == ("none", 0)


def test_mostly_other_scanners_are_partly_confounded():
    (found,) = confounding(rows(scanner=["x"] * 18 + ["y"] * 2), rows(scanner=["y"] * 18 + ["x"] * 2))
    assert found.strength == "partial"


def test_a_difference_that_chance_makes_is_not_flagged():
    (found,) = confounding(rows(site=["A", "A", "B"]), rows(site=["B", "B", "A"]))
    assert found.strength == "none"


def test_a_large_difference_in_few_scans_is_not_called_alike():
    (found,) = confounding(rows(site=["A", "A"]), rows(site=["A", "B", "B"]))
    assert found.strength == "unknown"
    assert 0.6 < found.distance < 0.7
    assert "alike" not in found.sentence


def test_field_strengths_that_interleave_but_never_agree_are_confounded():
    (found,) = confounding(rows(tesla=[3.0] * 8), rows(tesla=[1.5, 7.0] * 4))
    assert found.strength == "complete"


def test_ages_drawn_alike_pass_and_ages_apart_do_not():
    generator = np.random.default_rng(0)
    young, alike, old = (generator.normal(mean, 8, size=40) for mean in (35, 35, 75))
    assert confounding(rows(age=young), rows(age=alike))[0].strength == "none"
    assert confounding(rows(age=young), rows(age=old))[0].strength != "none"


def test_a_fact_known_of_one_group_only_is_said_to_be_unknown():
    (found,) = confounding(rows(site=["A", "n/a"]), rows(site=["n/a", ""]))
    assert found.strength == "unknown"
    assert "no patient" in found.sentence


def test_names_that_differ_from_scan_to_scan_are_left_out():
    assert confounding(rows(name=["a", "b"]), rows(name=["c", "d"])) == []


def test_the_worst_comes_first():
    healthy = rows(sex=["f", "m"] * 4, site=["A"] * 8)
    patients = rows(sex=["m", "f"] * 4, site=["B"] * 8)
    assert [one.fact for one in confounding(healthy, patients)] == ["site", "sex"]
