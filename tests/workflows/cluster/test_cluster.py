"""`cluster`: groups of a table, saved whole; new rows assigned; sites; what is refused."""

import json

import numpy as np
import pytest
from helpers.feature_tables import groups as table
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

import medunsup
from medunsup.cohort.clusters.folder import read_clusters
from medunsup.cohort.clusters.record import as_record
from medunsup.cohort.clusters.words import sentences
from medunsup.core.errors import InputError, OutputError, ResultThereError, UsageError
from medunsup.core.registry import methods
from medunsup.io.files.tsv import read_tsv

QUICK = {"method": "kmeans", "max_k": 3, "seeds": 2, "umap": False}
D = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Clusters of a table on disk, and their folder."""
    folder = tmp_path_factory.mktemp("clusters")
    medunsup.write_features(folder / "features.csv", table())
    found = medunsup.cluster(folder / "features.csv", folder / "out", truth="group", **QUICK)
    return found, folder / "out"


def test_groups_are_found_counted_and_written(made):
    found, folder = made
    assert found.k == 2
    assert found.is_found
    assert found.verdict.startswith("2 clusters: a valley parts each two")
    rows = read_tsv(folder / "clusters.tsv")
    assert rows.names == ["subject", "cluster", "p_0", "p_1", "typicality"]
    assert [int(row["cluster"]) for row in rows.rows] == found.labels.tolist()
    assert [row["subject"] for row in rows.rows] == list(found.keys["subject"])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert ((found.typicality > 0) & (found.typicality <= 1)).all()
    assert [one.n for one in found.clusters] == [48, 32]


def test_figures_beside_known_classes_are_those_of_scikit_learn(made):
    found, _ = made
    truth = list(found.truth[1])
    assert "group" not in found.covariates
    for name, reference in (("nmi", normalized_mutual_info_score), ("ari", adjusted_rand_score)):
        assert found.figures[name].values[0] == pytest.approx(reference(truth, found.labels), abs=1e-9)
    assert found.figures["accuracy"].mean == 1
    assert len(found.figures["accuracy"].values) == 2
    assert found.baselines[0].name == "gmm"
    assert not found.baselines[
        0
    ].comparisons  # both find the groups with every seed: no seed changes anything


def test_json_holds_k_verdict_labels_stability_and_figures(made):
    found, folder = made
    record = json.loads((folder / "clusters.json").read_text())["record"]
    assert {"k", "verdict", "labels", "stability", "figures", "choice", "effects"} <= record.keys()
    assert record["labels"] == found.labels.tolist()
    assert as_record(found)["k"] == record["k"] == 2
    assert record["stability"]["p"] <= 0.05


def test_a_covariate_that_goes_with_a_cluster_is_told_with_its_interval(made):
    found, _ = made
    age = next(one for one in found.effects if one.covariate == "age" and one.cluster == 1)
    assert age.kind == "standardised mean difference"
    assert 5 < age.low < age.value < age.high
    sex = [one for one in found.effects if one.covariate == "sex" and one.kind == "Cramer's V"]
    assert sex[0].low == 0


def test_the_same_table_gives_the_same_bytes(made, tmp_path):
    _, folder = made
    medunsup.cluster(folder.parent / "features.csv", tmp_path / "again", truth="group", **QUICK)
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith("."):
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_new_rows_have_the_clusters_of_the_model_alone_as_among_many(made):
    found, folder = made
    again = medunsup.cluster(folder.parent / "features.csv", model=folder)
    np.testing.assert_array_equal(again.labels, found.labels)
    new = medunsup.cluster(table(20, seed=5), model=folder)
    alone = medunsup.cluster(table(20, seed=5).rows([3]), model=folder)
    np.testing.assert_array_equal(alone.probabilities[0], new.probabilities[3])
    assert alone.typicality[0] == new.typicality[3]
    expected = [int(word == "patient") for word in table(20, seed=5).column("group")]
    assert new.labels.tolist() == expected
    assert new.maps["pca"].shape == (20, 2)
    np.testing.assert_allclose(new.background["pca"], found.maps["pca"])


def test_one_new_row_has_a_page_though_the_other_cluster_stays_empty(made, tmp_path):
    _, folder = made
    found = medunsup.cluster(table(20, seed=5).rows([3]), tmp_path / "new", model=folder)
    assert sorted(one.n for one in found.clusters) == [0, 1]
    text = (tmp_path / "new" / "report.html").read_text()
    assert '<td class="heat " style="--strength: 0.0">–</td>' in text
    assert "1 row, 100 %" in text
    assert "0 rows, 0" not in text


def test_strange_new_rows_are_named(made):
    _, folder = made
    strange = table(3)
    far = medunsup.FeatureTable(strange.values + 900, strange.names, strange.keys)
    found = medunsup.cluster(far, model=folder)
    assert (found.typicality < 0.05).all()
    assert "3 of 3 rows" in found.remarks[0]


@pytest.mark.parametrize("method", [card.name for card in methods("clustering") if card.family != "deep"])
def test_every_method_is_kept_and_opened_again(method, tmp_path):
    if method == "toy_halves":
        pytest.skip("a method of the tests")
    found = medunsup.cluster(table(40), tmp_path / "out", method=method, k=2, seeds=1, umap=False)
    again = medunsup.cluster(table(40), model=tmp_path / "out")
    np.testing.assert_array_equal(again.labels, found.labels)
    assert not (tmp_path / "out" / ".seeds").exists()


def test_one_cloud_has_no_clusters_and_says_so_first(tmp_path):
    found = medunsup.cluster(table(apart=0.0), tmp_path / "out", **QUICK)
    assert found.k == 1
    assert not found.is_found
    assert found.verdict.startswith("No clusters were found")
    assert set(found.labels) == {0}
    assert found.effects == ()
    assert medunsup.cluster(table(5, apart=0.0), model=tmp_path / "out").labels.tolist() == [0] * 5


def test_clusters_that_were_asked_for_in_one_cloud_are_said_to_be_none():
    found = medunsup.cluster(table(apart=0.0), k=3, **QUICK)
    assert found.k == 3
    assert not found.is_found
    assert found.verdict.startswith("3 clusters were made as asked for")


def test_a_cluster_that_is_a_site_is_called_so_and_harmonising_takes_it_out():
    sites = table(apart=0.0, offset=9.0)
    found = medunsup.cluster(sites, **QUICK)
    assert found.k == 2
    assert "Cluster 0 is the site" in found.verdict
    assert found.site.clusters
    harmonised = medunsup.cluster(sites, harmonise="site", covariates=("age", "sex"), **QUICK)
    assert harmonised.k == 1
    assert harmonised.site.signal.is_there_before
    assert not harmonised.site.signal.is_there_after


def test_groups_are_found_behind_the_sites_and_a_new_row_needs_a_known_site(tmp_path):
    both = table(offset=20.0)
    found = medunsup.cluster(both, tmp_path / "out", harmonise="site", **QUICK)
    assert found.k == 2
    assert adjusted_rand_score(both.column("group"), found.labels) == 1
    again = medunsup.cluster(both, model=tmp_path / "out")
    np.testing.assert_array_equal(again.labels, found.labels)
    unseen = medunsup.FeatureTable(both.values, both.names, both.keys, {"site": ["C"] * len(both)})
    with pytest.raises(UsageError, match=r"Site 'C' was not fitted.*Fit again"):
        medunsup.cluster(unseen, model=tmp_path / "out")
    bare = medunsup.FeatureTable(both.values, both.names, both.keys)
    with pytest.raises(UsageError, match=r"harmonised by 'site'.*no such column"):
        medunsup.cluster(bare, model=tmp_path / "out")


def test_sites_of_which_one_has_all_patients_are_refused_or_told():
    rows = table(offset=5.0)
    covariates = {
        "site": rows.column("site"),
        "ill": ["ny"[s == "A"] for s in rows.column("site")],
    }
    confounded = medunsup.FeatureTable(rows.values, rows.names, rows.keys, covariates)
    with pytest.raises(UsageError, match="'ill' cannot be told from the sites"):
        medunsup.cluster(confounded, harmonise="site", covariates=("ill",), **QUICK)
    found = medunsup.cluster(confounded, harmonise="site", k=2, **(QUICK | {"seeds": 1}))
    assert any("Every site has one ill alone" in remark for remark in found.remarks)


def test_a_finished_seed_is_not_fitted_again(tmp_path, monkeypatch):
    from medunsup.clustering import KMeans
    from medunsup.workflows.cluster import seeds

    monkeypatch.setattr(seeds, "LONG_S", 0.0)
    monkeypatch.setattr(seeds, "forget_seeds", lambda out: None)
    first = medunsup.cluster(table(40), tmp_path / "out", k=2, **QUICK)

    def broken(self, X, y=None):
        raise AssertionError("fitted again")

    kept = seeds.kept_seeds(tmp_path / "out", seeds.Maker("kmeans", "", KMeans, {}), 2, _prepared(40))
    monkeypatch.setattr(KMeans, "fit", broken)
    model, labels = seeds.fit_seeds(
        seeds.Maker("kmeans", "", KMeans, {}), _prepared(40), 2, [0, 1], kept, lambda stage: None
    )
    np.testing.assert_array_equal(model.labels_, first.labels)
    assert len(labels) == 2


def _prepared(n: int) -> np.ndarray:
    from medunsup.clustering.preparation import Preparation

    return Preparation().fit(table(n).values).transform(table(n).values)


@pytest.mark.parametrize(
    ("rows", "choices", "said"),
    [
        (20, {"k": 21}, "21 clusters of 20 rows"),
        (1, {"k": 1}, "There is 1 row"),
        (10, {}, "10 rows are too few to tell"),
        (40, {"components": 7}, "7 components of 6 features"),
        (40, {"covariates": ("weight",)}, "no column 'weight'"),
        (40, {"harmonise": "scanner"}, "no column 'scanner'"),
        (40, {"truth": "diagnosis"}, "no column 'diagnosis'"),
        (40, {"parameters": {"n_clusters": 3}}, "give `k`"),
        (40, {"parameters": {"n_starts": 3}}, "unknown key 'n_starts'"),
        (40, {"k": 0}, "k"),
        (40, {"method": "kmeens"}, "kmeans"),
        (40, {"encoder": "runs/cr"}, "for images"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(rows, choices, said):
    with pytest.raises(UsageError, match=said):
        medunsup.cluster(table(rows), **(QUICK | choices))


def test_rows_with_gaps_are_refused_or_left_out(tmp_path):
    path = medunsup.write_features(tmp_path / "features.csv", table(40))
    lines = path.read_text().splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ","
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="drop_incomplete=True"):
        medunsup.cluster(path, k=2, **QUICK)
    assert len(medunsup.cluster(path, k=2, drop_incomplete=True, **QUICK).labels) == 39


def test_what_harmonising_remarks_is_told():
    rows = table(40)
    sites = {"site": [*rows.column("site")[:-1], "C"]}
    found = medunsup.cluster(
        medunsup.FeatureTable(rows.values, rows.names, rows.keys, sites), k=2, harmonise="site", **QUICK
    )
    assert any("Site C has one row" in remark for remark in found.remarks)


def test_several_rows_of_a_subject_are_told():
    rows = table(40)
    twice = medunsup.FeatureTable(rows.values, rows.names, {"subject": [f"sub-{n // 2}" for n in range(40)]})
    found = medunsup.cluster(twice, k=2, **QUICK)
    assert any("40 rows are of 20 subjects" in remark for remark in found.remarks)
    assert not any("subjects" in remark for remark in medunsup.cluster(rows, k=2, **QUICK).remarks)


def test_a_class_or_site_that_is_not_known_is_none():
    rows = table(40)
    known = list(rows.column("group"))
    cells = ["n/a", "", *known[2:]]
    covariates = {"group": cells, "site": [*rows.column("site")[:-1], "n/a"]}
    partly = medunsup.FeatureTable(rows.values, rows.names, rows.keys, covariates)
    found = medunsup.cluster(partly, k=2, truth="group", **QUICK)
    assert list(found.truth[1]) == ["", "", *known[2:]]
    assert found.figures["accuracy"].mean == 1
    with pytest.raises(UsageError, match=r"site of .*039 is not known \('n/a'\)"):
        medunsup.cluster(partly, k=2, harmonise="site", **QUICK)


def test_the_same_scan_twice_is_told():
    twice = table(40).rows([*range(40), 3, 4])
    found = medunsup.cluster(twice, k=2, **QUICK)
    assert any("2 of 42 rows equal another one" in remark for remark in found.remarks)


def test_a_table_with_other_features_is_refused_by_name(made):
    _, folder = made
    other = table(20)
    renamed = medunsup.FeatureTable(other.values, [f"volumes/other{k}" for k in range(D)], other.keys)
    with pytest.raises(InputError, match="volumes/region0_ml"):
        medunsup.cluster(renamed, model=folder)
    with pytest.raises(UsageError, match="leave k out"):
        medunsup.cluster(other, model=folder, k=2)


def test_clusters_are_not_replaced_unasked_and_no_file_of_others_is(made, tmp_path):
    _, folder = made
    with pytest.raises(ResultThereError, match="force=True"):
        medunsup.cluster(table(), folder, **QUICK)
    (tmp_path / "clusters.tsv").write_text("mine")
    with pytest.raises(OutputError, match="not ours"):
        medunsup.cluster(table(), tmp_path, **QUICK)
    assert read_clusters(folder).manifest.method == "kmeans"


def test_measured_numbers_are_no_classes(tmp_path):
    with pytest.raises(UsageError, match="'age' has 32 different values in 40 rows, which are no classes"):
        medunsup.cluster(table(40), k=2, truth="age", **QUICK)
    rows = table(80)
    years = {"years": [str(20 + n % 30) for n in range(80)], "grade": [str(n % 5) for n in range(80)]}
    several = medunsup.FeatureTable(rows.values, rows.names, rows.keys, years)
    with pytest.raises(UsageError, match="30 different values"):
        medunsup.cluster(several, k=2, truth="years", **QUICK)
    assert medunsup.cluster(several, k=2, truth="grade", **QUICK).truth[0] == "grade"


def test_why_the_site_was_not_asked_is_told(tmp_path):
    rows = table(40)
    sites = {"site": [*rows.column("site")[:37], "C", "C", "C"], "age": rows.column("age")}
    few = medunsup.FeatureTable(
        rows.values[-8:],
        rows.names,
        {"subject": rows.keys["subject"][-8:]},
        {name: of[-8:] for name, of in sites.items()},
    )
    found = medunsup.cluster(few, tmp_path, k=2, harmonise="site", **QUICK)
    assert found.site.signal is None
    assert "Fewer than two sites have more than 3 rows" in found.site.why_not
    assert any("Fewer than two sites" in one for one in sentences(found))
    assert "Fewer than two sites" in (tmp_path / "report.html").read_text()


def test_an_effect_of_few_rows_has_no_interval_and_says_so(tmp_path):
    rows = table(10)
    found = medunsup.cluster(rows, tmp_path, k=2, **QUICK)
    effects = [one for one in found.effects if one.kind == "standardised mean difference"]
    assert effects
    assert all(np.isnan(one.low) and np.isfinite(one.value) for one in effects)
    assert not any(one.is_there for one in effects)
    assert "(too few)" in (tmp_path / "report.html").read_text()
