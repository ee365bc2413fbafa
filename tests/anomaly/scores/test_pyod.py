"""PyOD's detectors through our scores give PyOD's and scikit-learn's own numbers."""

import numpy as np
import pytest
from helpers.healthy_arrays import healthy
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.kpca import KPCA
from pyod.models.mcd import MCD
from pyod.models.ocsvm import OCSVM
from sklearn.neighbors import LocalOutlierFactor

from medunsup.anomaly.factory import build_score
from medunsup.anomaly.scores._pyod import make_detector
from medunsup.core.errors import InputError, UsageError


class Given:
    """Offers rows that were made up beforehand, one scan after the other."""

    method_name = "given"

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = iter(rows)

    def encode(self, values, mask):
        return next(self.rows)[None]


RNG = np.random.default_rng(0)
TRAIN = (RNG.normal(size=(60, 5)) * [1, 2, 3, 4, 5] + [0, 9, 0, 9, 0]).astype(np.float32)
TEST = np.concatenate([RNG.normal(size=(8, 5)) * [1, 2, 3, 4, 5] + [0, 9, 0, 9, 0], [[20, 20, 20, 20, 20]]])
TEST = TEST.astype(np.float32)


def fitted(name, **values):
    score = build_score(name, values, model=Given(TRAIN))
    return score.fit(Given(TRAIN), healthy(len(TRAIN)))


def standard(rows: np.ndarray) -> np.ndarray:
    train = TRAIN.astype(float)
    return (rows - train.mean(axis=0)) / train.std(axis=0)


def test_lof_is_scikit_learns():
    reference = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(standard(TRAIN))
    wanted = -reference.score_samples(standard(TEST))
    np.testing.assert_allclose(fitted("lof").score_rows(TEST), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "values", "reference"),
    [
        ("mcd", {"seed": 3}, MCD(random_state=3)),
        ("knn", {"n_neighbors": 7, "method": "mean"}, KNN(n_neighbors=7, method="mean")),
        ("kpca", {"gamma": 0.3}, KPCA(gamma=0.3, random_state=0)),
        ("pyod", {"detector": "iforest", "options": {"n_estimators": 30}}, IForest(30, random_state=0)),
        ("pyod", {"detector": "ocsvm"}, OCSVM()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_detectors_are_pyods(name, values, reference):
    wanted = reference.fit(standard(TRAIN)).decision_function(standard(TEST))
    np.testing.assert_allclose(fitted(name, **values).score_rows(TEST), wanted, rtol=1e-6)


def test_ecod_is_pyods_for_each_row_judged_alone():
    reference = ECOD().fit(standard(TRAIN))
    wanted = [reference.decision_function(row[None])[0] for row in standard(TEST)]
    np.testing.assert_allclose(fitted("ecod").score_rows(TEST), wanted, rtol=1e-6)


@pytest.mark.parametrize("name", ["lof", "ecod", "mcd", "knn", "kpca"])
def test_a_scan_far_from_all_healthy_ones_scores_highest(name):
    score = fitted(name)
    scan = next(iter(healthy(1)))
    numbers = [score.scan_score(Given(row[None]), *scan, None) for row in TEST]
    assert np.argmax(numbers) == len(TEST) - 1


@pytest.mark.parametrize("name", ["lof", "ecod", "mcd", "knn", "kpca"])
def test_units_of_the_latents_do_not_matter(name):
    score = fitted(name)
    scaled = build_score(name, model=Given(TRAIN)).fit(Given(TRAIN * 1000), healthy(len(TRAIN)))
    np.testing.assert_allclose(scaled.score_rows(TEST * 1000), score.score_rows(TEST), rtol=1e-3)


def test_healthy_patches_are_drawn_evenly_and_as_many_as_asked():
    score = build_score("knn", {"on": "patches", "n_rows": 240}).fit(None, healthy(12))
    assert score.rows_.shape == (240, 8)


def test_a_slice_that_is_odd_shows_in_a_scan_of_many():
    score = fitted("lof")

    class Slices:
        def encode(self, values, mask):
            return np.concatenate([TRAIN[:19], TEST[-1:]])

    class Usual:
        def encode(self, values, mask):
            return TRAIN[:20]

    scan = next(iter(healthy(1)))
    assert score.scan_score(Slices(), *scan, None) > 2 * score.scan_score(Usual(), *scan, None)


def test_an_unknown_detector_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'iforest'"):
        make_detector("iforrest", 0, {})


def test_a_parameter_pyod_does_not_take_is_refused_by_name():
    with pytest.raises(UsageError, match="hbos has no parameter 'bins'"):
        make_detector("hbos", 0, {"bins": 3})


def test_too_few_scans_for_a_detector_are_told():
    with pytest.raises(InputError, match=r"knn cannot be fitted on 3 healthy rows.*Give more scans"):
        build_score("knn", {"n_neighbors": 9}, model=Given(TRAIN)).fit(Given(TRAIN), healthy(3))
