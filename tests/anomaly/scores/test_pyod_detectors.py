"""Every detector of PyOD's is refused with a reason, or judges a scan by itself and far above near."""

from pkgutil import iter_modules

import numpy as np
import pyod.models
import pytest
from helpers.healthy_arrays import healthy

from medunsup.anomaly.factory import build_score
from medunsup.anomaly.scores._pyod_detectors import fit_detector, make_detector
from medunsup.core.errors import DependencyError, InputError, UsageError

RNG = np.random.default_rng(0)
TRAIN = RNG.normal(size=(60, 5))
TRAIN[:, 4] = TRAIN[:, 0] + 0.1 * RNG.normal(size=60)
USUAL = RNG.normal(size=(6, 5))
FAR = 12 * RNG.normal(size=(4, 5))

EVERY = [item.name for item in iter_modules(pyod.models.__path__) if not item.name.startswith("_")]
NETWORKS = (
    "alad",
    "anogan",
    "auto_encoder",
    "base_dl",
    "deep_svdd",
    "gaal_base",
    "lunar",
    "mo_gaal",
    "so_gaal",
)
COMPILED = ("abod", "cblof", "hbos", "inne")  # seconds each, before anything is fitted
USED = ("abod", "cblof", "gmm", "hbos", "iforest", "inne", "kde", "knn", "kpca", "lof", "mcd", "ocsvm")


class Rows:
    """Offers given rows, one a scan."""

    method_name = "rows"

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = iter(rows)

    def encode(self, values, mask):
        return next(self.rows)[None]


def fitted(name: str, rows: np.ndarray = TRAIN, score: str = "pyod"):
    values = {"detector": name} if score == "pyod" else {}
    return build_score(score, values, model=Rows(rows)).fit(Rows(rows), healthy(len(rows)))


def check(score) -> None:
    """A row's score is its own; far above usual; the further, the more unusual or as much."""
    rows = np.concatenate([USUAL, FAR, 4 * FAR])
    together = score.score_rows(rows)
    assert np.isfinite(together).all()
    usual, far, further = np.split(together, [len(USUAL), len(USUAL) + len(FAR)])
    tolerance = 1e-3 * np.ptp(together)
    for some in (rows[::-1], rows[3:8], rows[:1], rows[-1:]):
        at = [int(np.flatnonzero((rows == row).all(axis=1))[0]) for row in some]
        np.testing.assert_allclose(score.score_rows(some), together[at], atol=tolerance)
    assert far.min() > np.median(usual)
    assert (further >= far - 0.05 * np.ptp(together)).all()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(one, marks=pytest.mark.slow) if one.startswith((*NETWORKS, *COMPILED)) else one
        for one in EVERY
    ],
)
def test_a_detector_keeps_the_contract_or_is_refused_with_a_reason(name):
    score, refusal = None, ""
    try:
        score = fitted(name)
    except (UsageError, InputError, DependencyError) as error:
        refusal = str(error)
    if score is None:
        assert name not in USED
        assert "PyOD's" in refusal
        return
    check(score)


@pytest.mark.parametrize("name", ["lof", "ecod", "mcd", "knn", "kpca"])
def test_our_own_scores_on_rows_keep_the_contract(name):
    check(fitted(name, score=name))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dif", "judged alone"),
        ("cof", "judged alone"),
        ("copod", "judged alone.*Take the score knn"),
        ("qmcd", "no higher than healthy"),
        ("pca", "broken correlations"),
        ("ts_kshape", "not made for rows"),
        ("deep_svdd", "needs its parameter 'n_features'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_take_instead(name, reason):
    with pytest.raises(UsageError, match=reason):
        make_detector(name, 0, {})


def test_a_parameter_that_pyod_refuses_is_told_in_our_words():
    with pytest.raises(UsageError, match=r"knn refuses its parameters.*contamination"):
        make_detector("knn", 0, {"contamination": 0})


class Faulty:
    """A detector that breaks one promise, whatever it is fitted on."""

    def __init__(self, judge) -> None:
        self.judge = judge

    def fit(self, X):
        return self

    def decision_function(self, X):
        return self.judge(X)


@pytest.mark.parametrize(
    ("judge", "reason"),
    [
        (lambda X: np.linalg.norm(X - X.mean(axis=0), axis=1), "judged alone"),
        (lambda X: np.linalg.norm(X, axis=1) / np.linalg.norm(X), "judged alone"),
        (lambda X: -np.linalg.norm(X, axis=1), "no higher"),
        (lambda X: np.zeros(len(X)), "no higher"),
        (lambda X: np.where(np.linalg.norm(X, axis=1) < 30, 1.0, np.nan), "no finite number"),
    ],
    ids=["centred", "scaled", "reversed", "constant", "nan"],
)
def test_a_detector_that_breaks_its_promise_is_caught_when_it_is_fitted(judge, reason):
    with pytest.raises(UsageError, match=reason):
        fit_detector("faulty", Faulty(judge), TRAIN)


def test_scans_given_many_times_count_once_and_it_is_said(caplog):
    many = np.concatenate([TRAIN, np.repeat(TRAIN[:1], 200, axis=0)])
    for name in ("lof", "knn", "mcd"):
        found = fitted(name, many, score=name)
        np.testing.assert_allclose(
            found.score_rows(USUAL), fitted(name, score=name).score_rows(USUAL), rtol=1e-5
        )
    assert "200 of 260 healthy rows are equal" in caplog.text


def test_scans_that_are_all_equal_are_refused():
    with pytest.raises(InputError, match="healthy rows are equal"):
        fitted("lof", np.repeat(TRAIN[:1], 30, axis=0), score="lof")


@pytest.mark.parametrize("name", ["lof", "ecod", "mcd", "knn", "kpca", "gmm", "iforest"])
def test_a_feature_that_never_varied_counts_once_it_does(name):
    constant = np.concatenate([TRAIN, np.full((60, 1), 5.0)], axis=1)
    score = fitted(name, constant) if name in ("gmm", "iforest") else fitted(name, constant, score=name)
    still = np.append(USUAL[0], 5.0)[None]
    moved = [score.score_rows(still + amount * np.eye(6)[5])[0] for amount in (0, 0.1, 1, 100)]
    assert moved == sorted(moved)
    assert moved[-1] > score.score_rows(constant).max()
