"""ComBat takes a site's offset and spread out, keeps what covariates do, and agrees with others' programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.clustering.combat import ComBat
from medunsup.core.errors import ArrayError

# Rows of `cohort()` as neuroHarmonize 2.5.2 (`harmonizationLearn`) returns them, with age and sex as
# covariates and without, its iteration (`it_sol` of neuroCombat 0.2.12) run until nothing changes
# (conv=1e-12). As it is shipped it ends sooner, which leaves differences below 1e-5.
ROWS = [0, 5, 12, 20, 21, 35]
WITH_COVARIATES = [
    [4.5725884093, 1.0081032070, 1.2077728307, 7.8046636866, -2.4762199517, 1.6266629491],
    [5.6872573599, -0.8593748724, 0.3422840781, 19.0480091128, 1.4393133322, 1.7875857009],
    [7.0744746813, -4.4332740214, -0.0316658209, 13.8602609260, 3.4141014535, -0.2364199490],
    [7.9586835679, -1.8505638844, -0.3693121564, 12.8408934473, 3.8923336096, 1.3926470661],
    [5.2350082719, -4.2241481752, 0.4498936874, 4.8286080455, -2.0570419648, -1.0434780204],
    [5.4628460246, -1.8590335244, -0.4093791034, 9.3540030920, 2.9139858821, 0.4680051203],
]
WITHOUT = [
    [4.0828222511, 1.5716320321, 1.1773860330, 6.5397351650, -2.4982527401, 1.5199394389],
    [5.6950976303, -0.6196086463, 0.2966357544, 18.9164445064, 1.7318509909, 1.8404002231],
    [7.1445334180, -4.5978898205, 0.1073542631, 14.4683030297, 2.9027796311, 0.0147417696],
    [7.6693640547, -2.0186172921, -0.2535380335, 12.8710914417, 3.3359220207, 1.4633290432],
    [4.4586950518, -4.2544845079, 0.4822648712, 4.0904698067, -2.8567169030, -1.1243696722],
    [5.2070195689, -1.8331383108, -0.4556929105, 9.2879113848, 2.6943477751, 0.3901640774],
]


def cohort():
    """36 rows of three sites, six features, age and sex: the numbers that neuroHarmonize was given."""
    draw = np.random.RandomState(7)
    place = np.repeat([0, 1, 2], [12, 9, 15])
    age, sex = draw.randint(40, 80, 36).astype(float), draw.randint(0, 2, 36).astype(float)
    X = draw.normal(size=(36, 6)) * [1, 2, 0.5, 3, 1, 1]
    X = X + np.outer(age, [0.1, -0.05, 0, 0.2, 0, 0.01]) + np.outer(sex, [1, 0, 0, -1, 2, 0])
    X += np.array([0, 2, -1.5])[place][:, None] * np.array([1, 1.5, 0.5, 2, 1, 1])
    X[12:21] *= 1.5
    return (
        X,
        np.array(["A", "B", "C"])[place].tolist(),
        {"age": age, "sex": np.array(["f", "m"])[sex.astype(int)]},
    )


def johnson(X, place, C, tolerance=1e-10):
    """The paper's equations, a loop over sites and features."""
    n, d = X.shape
    sites = sorted(set(place))
    Z = np.column_stack([[float(p == s) for p in place] for s in sites] + list(C.T))
    beta = np.linalg.solve(Z.T @ Z, Z.T @ X)
    S = len(sites)
    alpha = sum((np.array(place) == s).sum() / n * beta[k] for k, s in enumerate(sites))
    sigma = np.sqrt(((X - Z @ beta) ** 2).sum(axis=0) / n)
    kept = alpha + C @ beta[S:]
    standard = (X - kept) / sigma
    out = np.empty_like(X)
    for s in sites:
        rows = np.flatnonzero(np.array(place) == s)
        gamma, delta = standard[rows].mean(axis=0), standard[rows].var(axis=0, ddof=1)
        bar, tau = gamma.mean(), gamma.var(ddof=1)
        m, v = delta.mean(), delta.var(ddof=1)
        lam, theta = (2 * v + m**2) / v, (m * v + m**3) / v
        old, change = (gamma, delta), 1.0
        while change > tolerance:
            new_gamma, new_delta, n_site = np.empty(d), np.empty(d), len(rows)
            for f in range(d):
                weight = n_site * tau
                new_gamma[f] = (weight * gamma[f] + old[1][f] * bar) / (weight + old[1][f])
                squares = ((standard[rows, f] - new_gamma[f]) ** 2).sum()
                new_delta[f] = (theta + 0.5 * squares) / (n_site / 2 + lam - 1)
            change = max(abs(new_gamma - old[0]).max(), abs(new_delta - old[1]).max())
            old = (new_gamma, new_delta)
        out[rows] = sigma / np.sqrt(old[1]) * (standard[rows] - old[0]) + kept[rows]
    return out


@pytest.mark.parametrize(("known", "expected"), [(True, WITH_COVARIATES), (False, WITHOUT)])
def test_it_agrees_with_neuroharmonize_and_neurocombat(known, expected):
    X, sites, covariates = cohort()
    found = ComBat().fit_transform(X, sites, covariates if known else None)
    assert found[ROWS] == pytest.approx(np.array(expected), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), n_sites=st.integers(2, 4), d=st.integers(2, 6), p=st.integers(0, 2))
def test_it_agrees_with_the_equations_of_the_paper(seed, n_sites, d, p):
    draw = np.random.default_rng(seed)
    place = np.repeat(np.arange(n_sites), draw.integers(4, 12, n_sites))
    X = draw.normal(size=(len(place), d)) * draw.uniform(0.5, 2, n_sites)[place][:, None] + place[:, None]
    C = draw.normal(size=(len(place), p)) * 10 + 50
    found = ComBat().fit_transform(X, place.astype(str).tolist(), C if p else None)
    assert found == pytest.approx(johnson(X, place.tolist(), C), abs=1e-8)


def large(seed=0, n=400, d=30):
    draw = np.random.default_rng(seed)
    place = np.repeat([0, 1], n // 2)
    age = draw.uniform(40, 80, n) + 8 * place
    X = draw.normal(size=(n, d)) * np.array([1, 2])[place][:, None] + 0.05 * age[:, None]
    X += place[:, None] * draw.normal(2, 1, d)
    return X, np.where(place == 0, "A", "B"), age


def test_means_and_variances_of_the_sites_are_the_same_afterwards():
    X, sites, _ = large()
    found = ComBat().fit_transform(X, sites)
    one, other = found[sites == "A"], found[sites == "B"]
    assert abs(one.mean(axis=0) - other.mean(axis=0)).max() < 0.15
    assert abs(np.log(one.var(axis=0) / other.var(axis=0))).max() < 0.2
    assert abs(np.log(X[:200].var(axis=0) / X[200:].var(axis=0))).max() > 1


def test_the_effect_of_age_is_kept_though_one_site_is_older():
    X, sites, age = large()
    found = ComBat().fit_transform(X, sites, {"age": age})
    slopes = np.polyfit(age, found, 1)[0]
    assert slopes.mean() == pytest.approx(0.05, abs=0.003)
    assert np.polyfit(age, X, 1)[0].mean() > 0.07  # with the site in it


def test_a_row_comes_out_alone_as_in_a_batch():
    X, sites, covariates = cohort()
    combat = ComBat().fit(X, sites, covariates)
    together = combat.transform(X, sites, covariates)
    for n in (0, 15, 35):
        alone = combat.transform(
            X[n : n + 1], sites[n : n + 1], {k: v[n : n + 1] for k, v in covariates.items()}
        )
        assert alone.tobytes() == together[n].tobytes()


def test_the_order_of_rows_and_the_names_of_sites_change_nothing():
    X, sites, _ = cohort()
    order = np.random.default_rng(1).permutation(36)
    other = [{"A": "z", "B": "b", "C": "a"}[sites[n]] for n in order]
    assert ComBat().fit_transform(X[order], other) == pytest.approx(
        ComBat().fit_transform(X, sites)[order], abs=1e-9
    )


def test_a_site_of_one_row_is_moved_and_told():
    X, sites, _ = cohort()
    sites = [*sites[:-1], "lonely"]
    X[-1] += 10
    combat = ComBat().fit(X, sites)
    assert combat.remarks_[0].startswith("Site lonely has one row")
    assert (combat.scale_[combat.sites_.index("lonely")] == 1).all()
    assert (
        abs(combat.transform(X, sites)[-1] - X[:-1].mean(axis=0)).max()
        < abs(X[-1] - X[:-1].mean(axis=0)).max()
    )


def test_one_feature_is_harmonised_without_a_common_distribution():
    X, sites, _ = cohort()
    found = ComBat().fit_transform(X[:, :1], sites)
    means = [found[np.array(sites) == one].mean() for one in "ABC"]
    assert max(means) - min(means) < 1e-12


def test_constant_features_stay_as_they_are():
    X, sites, _ = cohort()
    X[:, 2] = 7.5
    found = ComBat().fit_transform(X, sites)
    assert np.isfinite(found).all()
    assert found[:, 2] == pytest.approx(7.5)
    others = [0, 1, 3, 4, 5]
    assert found[:, others] == pytest.approx(ComBat().fit_transform(X[:, others], sites), abs=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda X, s, c: (X, s, {"ill": [site == "A" for site in s]}), "'ill' cannot be told from the sites"),
        (lambda X, s, c: (X, s, {**c, "ill": ["y" if o == "B" else "n" for o in s]}), "'ill' cannot be told"),
        (lambda X, s, c: (X, s, {"sex": ["f"] * 36}), "'sex' is the same in all rows"),
        (lambda X, s, c: (X, ["A"] * 36, None), "All rows are of the site 'A'"),
        (lambda X, s, c: (X, s[:-1], None), "35 sites for 36 rows"),
        (lambda X, s, c: (X, ["", *s[1:]], None), "site of row 1 is empty"),
        (lambda X, s, c: (X, s, {"age": ["50"] * 35}), "'age' has 35 values for 36"),
        (lambda X, s, c: (X, s, {"age": ["", *["50"] * 35]}), "'age' is empty in row 1"),
        (lambda X, s, c: (X, s, {"age": [np.nan, *[50.0] * 35]}), "'age' is not finite in row 1"),
        (lambda X, s, c: (X, s, {"name": [f"p{n}" for n in range(36)]}), "names the rows"),
        (lambda X, s, c: (X[:4], ["A", "B", "A", "B"], np.eye(4)[:, :2]), "4 rows do not tell 2 sites and 2"),
        (lambda X, s, c: (X, s, np.zeros(36)), r"not of the shape \(36,\)"),
    ],
)
def test_what_cannot_be_harmonised_is_refused_in_words(change, told):
    X, sites, covariates = cohort()
    rows, of, known = change(X, sites, covariates)
    with pytest.raises(ArrayError, match=told):
        ComBat().fit(rows, of, known)


def test_what_was_not_fitted_is_refused_in_words():
    X, sites, covariates = cohort()
    combat = ComBat().fit(X, sites, covariates)
    with pytest.raises(ArrayError, match="Site 'D' was not fitted"):
        combat.transform(X, ["D", *sites[1:]], covariates)
    with pytest.raises(ArrayError, match="'sex' is 'd', which was not there"):
        combat.transform(X, sites, {**covariates, "sex": ["d", *covariates["sex"][1:]]})
    with pytest.raises(ArrayError, match="Covariates are none, but were age, sex"):
        combat.transform(X, sites)
    with pytest.raises(ArrayError, match="2 features, but 6"):
        combat.transform(X[:, :2], sites, covariates)
    with pytest.raises(ArrayError, match="held numbers"):
        combat.transform(X, sites, {**covariates, "age": ["old"] * 36})
    with pytest.raises(ArrayError, match="tolerance"):
        ComBat(tolerance=2.0).fit(X, sites)
