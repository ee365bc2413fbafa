"""A model beside its baselines: what is averaged, what is paired, what may be said."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.evaluated import PREVALENCE, curve, evaluation, healthy, patient

from medunsup.core.provenance import plain
from medunsup.metrics.comparison import gather
from medunsup.metrics.froc import Froc
from medunsup.metrics.pooled_froc import froc_of_scan, pooled_froc

HIGH, LOW = [0.7, 0.72, 0.68, 0.71, 0.69, 0.73, 0.7], [0.5, 0.51, 0.5, 0.48, 0.52, 0.5, 0.49]


def test_a_model_that_wins_in_every_patient_is_better():
    (baseline,) = evaluation(HIGH, LOW).figures.baselines
    assert baseline.name == "rank_high"
    assert baseline.model_against.verdict == "better"
    assert baseline.model_against.difference.value == pytest.approx(np.mean(HIGH) - np.mean(LOW))


def test_five_patients_are_too_few_for_any_verdict():
    (baseline,) = evaluation(HIGH[:5], LOW[:5]).figures.baselines
    assert baseline.model_against.verdict == "underpowered"


def test_two_scans_of_a_patient_count_once():
    cases = [patient(n, 0.5, 0.4) for n in range(6)]
    figures = gather([*cases, patient(0, 0.9, 0.4)]).model.figures["average_precision"]
    assert figures.n == 6
    assert figures.value == pytest.approx((5 * 0.5 + 0.7) / 6)


def test_healthy_scans_have_no_share_in_the_figures_of_voxels():
    with_them, without = evaluation(HIGH, LOW), evaluation(HIGH, LOW, n_healthy=0)
    assert with_them.figures.model.figures == without.figures.model.figures
    assert with_them.figures.prevalence.value == pytest.approx(PREVALENCE)


def test_scans_the_model_cannot_judge_are_left_out_of_a_figure_of_their_own():
    odd = replace(patient(0, 0.1, 0.5), flags=("contrast",))
    known = [patient(n, 0.8, 0.5) for n in (1, 2)]
    figures = gather([odd, *known])
    assert figures.of_known.value == pytest.approx(0.8)
    assert figures.model.figures["average_precision"].value == pytest.approx((0.1 + 1.6) / 3)
    assert gather(known).of_known is None
    assert gather([odd]).of_known is None


def test_patients_above_all_healthy_people_give_a_scan_auroc_of_one():
    figures = evaluation(HIGH, LOW).figures
    assert figures.model.scan_auroc.value == 1
    assert {one.name: one.scan_auroc.value for one in figures.methods}["rank_high"] == 0.5
    assert evaluation(HIGH, LOW, n_healthy=0).figures.model.scan_auroc is None


def test_what_makes_no_map_has_a_number_a_scan_only():
    (ecod,) = [one for one in evaluation(HIGH, LOW).figures.methods if one.name == "pca_ecod"]
    assert not ecod.makes_map
    assert ecod.froc is None
    assert ecod.model_against is None
    assert ecod.scan_auroc is not None


def test_a_step_is_compared_with_the_one_before():
    none, median = evaluation(HIGH, LOW).figures.steps
    assert none.effect is None
    assert median.effect.difference.value == pytest.approx(0.05)


def test_another_site_for_patients_than_for_the_healthy_is_flagged():
    (site,) = evaluation(HIGH, LOW).figures.confounders
    assert (site.fact, site.strength) == ("site", "complete")


def test_what_is_kept_on_disk_comes_back_the_same():
    for case in (patient(1, 0.5, 0.4), healthy(2)):
        kept = json.loads(json.dumps(plain(case.as_record()), allow_nan=False))
        again = type(case).of_record(kept)
        assert plain(again.as_record()) == plain(case.as_record())


def test_curves_of_equal_thresholds_add_up():
    both = pooled_froc([curve(2, [0, 0.5, 1], [0, 1, 4]), curve(0, [np.nan] * 3, [0, 1, 2])])
    np.testing.assert_allclose(both.sensitivity, [0, 0.5, 1])
    np.testing.assert_allclose(both.false_positives, [0, 1, 3])
    assert (both.n_lesions, both.n_scans) == (2, 2)


def test_above_its_own_thresholds_a_scan_shows_nothing():
    high = curve(1, [1, 1, 1], [1, 1, 1])
    low = type(high)(high.thresholds / 10, high.sensitivity, high.false_positives, 1, 1)
    both = pooled_froc([high, low])
    np.testing.assert_allclose(both.sensitivity, [0.5, 0.5, 0.5, 1, 1, 1])


def test_the_curve_of_one_scan_is_the_pooled_curve_of_it():
    generator = np.random.default_rng(0)
    scores = generator.random((12, 12, 12)).astype(np.float32)
    truth = np.zeros(scores.shape, bool)
    truth[3:6, 3:6, 3:6] = True
    scores[truth] += 0.5
    mask = np.ones_like(truth)
    own = froc_of_scan(scores, truth, mask, voxel_mm3=1.0)
    exact = Froc(own.thresholds, min_cluster_mm3=0.0).add(scores, truth, mask, voxel_mm3=1.0).curve()
    pooled = pooled_froc([own])
    np.testing.assert_allclose(pooled.sensitivity, exact.sensitivity)
    np.testing.assert_allclose(pooled.false_positives, exact.false_positives)
    assert own.sensitivity_at(1.0) == 1
