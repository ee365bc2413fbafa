"""scikit-learn's own checks of an estimator, and labels that keep the rate they promise."""

import doctest

import numpy as np
import pytest
from sklearn.base import is_outlier_detector
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import medunsup
from medunsup.anomaly.conformal_mixin import ConformalOutlierMixin
from medunsup.core.errors import ArrayError, UsageError

SCORE = "`score` is a parameter, the score's name; estimators of scikit-learn have a method of that name"
EXPECTED = {
    "check_fit_score_takes_y": SCORE,
    "check_n_features_in_after_fitting": SCORE,
    "check_pipeline_consistency": SCORE,
    "check_outliers_train": "decision_function has PyOD's sign",
    "check_fit2d_1sample": "one array has no spread to learn",
    "check_outliers_fit_predict": "fit_predict is refused: no honest label without calibration",
}


class Calibrated(medunsup.Detector):
    """What the checks call: they know no `calibrate`, and give few rows."""

    def fit(self, X, y=None):
        return super().fit(X).calibrate(X)

    def predict(self, X):
        return super().predict(X, alpha=0.5)


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [Calibrated(), Calibrated(model="healthy_atlas", score="deviation")],
    expected_failed_checks=lambda _: EXPECTED,
    xfail_strict=True,
)
def test_of_scikit_learns_checks_only_those_listed_fail(estimator, check):
    check(estimator)


def rows(n: int, seed: int) -> np.ndarray:
    """n signals of 30 samples: a wave of varying height, and noise."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.linspace(0, 6, 30))
    return 0.5 + rng.normal(0.2, 0.05, (n, 1)) * wave + rng.normal(0, 0.02, (n, 30))


def test_rows_of_numbers_are_one_dimensional_images():
    detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(rows(40, 0))
    odd = rows(3, 1)
    odd[:, 12] += 0.3
    found = detector.score_map(odd)
    assert found.shape == odd.shape
    assert found.argmax(axis=1).tolist() == [12] * 3
    as_volumes = detector.score_samples(odd[:, :, None, None])
    np.testing.assert_array_equal(detector.score_samples(odd), as_volumes)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
def test_labels_are_scikit_learns_and_tell_what_the_p_values_tell(alpha):
    detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(rows(30, 0))
    new = np.concatenate([rows(30, 2), rows(5, 3) + 0.3 * (np.arange(30) == 12)])
    with pytest.raises(NotFittedError, match="calibrate"):
        detector.predict(new, alpha=alpha)
    detector.calibrate(rows(19, 1))
    labels = detector.predict(new, alpha=alpha)
    assert is_outlier_detector(detector)
    np.testing.assert_array_equal(labels == -1, detector.p_values(new) <= alpha + 1e-12)
    assert set(labels[-5:]) == {-1}
    assert set(labels) == {-1, 1}


def test_a_healthy_array_is_called_anomalous_as_often_as_promised():
    """Of 20 exchangeable arrays, each in turn is the new one: exactly one is the most extreme."""
    detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(rows(30, 0))
    healthy = rows(20, 4)
    others = [np.delete(np.arange(20), n) for n in range(20)]
    found = [detector.calibrate(healthy[rest]).predict(healthy[[n]]) for n, rest in enumerate(others)]
    assert np.sum(np.array(found) == -1) == 1


def test_a_rate_that_so_few_arrays_cannot_promise_is_refused():
    detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(rows(30, 0))
    detector.calibrate(rows(9, 1))
    with pytest.raises(UsageError, match=r"Ask for 0\.1 or more"):
        detector.predict(rows(2, 2))


def test_a_new_fit_forgets_how_arrays_scored_by_the_model_before():
    detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(rows(30, 0))
    before = detector.calibrate(rows(19, 1)).p_values(rows(5, 2))
    detector.fit(rows(30, 5))
    for judge in (detector.p_values, detector.predict):
        with pytest.raises(NotFittedError, match="calibrate"):
            judge(rows(5, 2))
    after = detector.fit(rows(30, 0)).calibrate(rows(19, 1)).p_values(rows(5, 2))
    np.testing.assert_array_equal(after, before)


def test_arrays_that_were_learned_from_get_no_label():
    with pytest.raises(UsageError, match="calibrate with other healthy arrays"):
        medunsup.Detector().fit_predict(rows(20, 0))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (np.ones(5), r"values\[None\]"),
        (np.ones((0, 4, 4)), "0 sample"),
        (np.ones((2, 4, 4)) * 1j, "Complex data not supported"),
    ],
)
def test_what_is_no_stack_of_real_numbers_is_refused_in_one_line(values, complaint):
    with pytest.raises(ArrayError, match=complaint):
        medunsup.Detector().fit(values)
    assert issubclass(ArrayError, ValueError)


def test_former_names_of_parameters_are_taken_with_a_warning():
    old = medunsup.Detector(model_values={"n_components": 3}, score="lof", score_values={"n_neighbors": 4})
    with pytest.warns(FutureWarning) as told:
        old.fit(rows(20, 0))
    assert [str(one.message).split(" now")[0] for one in told] == [
        "model_values= is called model_params=",
        "score_values= is called score_params=",
    ]
    assert told[0].filename == __file__
    new = medunsup.Detector(model_params={"n_components": 3}, score="lof", score_params={"n_neighbors": 4})
    np.testing.assert_array_equal(
        old.score_samples(rows(3, 1)), new.fit(rows(20, 0)).score_samples(rows(3, 1))
    )


def test_examples_of_its_methods_run():
    found = doctest.DocTestFinder().find(ConformalOutlierMixin, globs={})
    runner = doctest.DocTestRunner(verbose=False)
    assert [runner.run(one).failed for one in found if one.examples] == [0, 0, 0]
