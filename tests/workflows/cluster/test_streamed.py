"""A table read in batches has the clusters that it has in memory, and takes less of it."""

import json
import tracemalloc

import numpy as np
import pytest
from helpers.feature_tables import groups
from sklearn.metrics import adjusted_rand_score

import medunsup
from medunsup.core.errors import UsageError
from medunsup.io.files.tsv import read_tsv

QUICK = {"max_k": 3, "seeds": 2, "umap": False}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Rows of two groups that lie by group, as a sorted file has them."""
    rows = groups(600)
    order = np.argsort(rows.column("group"), kind="stable")
    return medunsup.write_features(tmp_path_factory.mktemp("stream") / "rows.parquet", rows.rows(order))


@pytest.fixture(scope="module")
def made(table):
    """What was found in batches, and its folder."""
    out = table.parent / "out"
    few = pytest.MonkeyPatch()
    few.setattr("medunsup.workflows.cluster.streamed.SAMPLE", 300)
    few.setattr("medunsup.clustering.methods.minibatch_kmeans.SAMPLE", 300)
    few.setattr("medunsup.workflows.cluster.streamed.DRAWN", 100)
    found = medunsup.cluster(table, out, stream=True, truth="group", **QUICK)
    few.undo()
    return found, out


def test_rows_in_batches_have_the_clusters_of_rows_in_memory(made, table):
    found, _ = made
    whole = medunsup.cluster(table, method="minibatch_kmeans", truth="group", **QUICK)
    assert found.k == whole.k == 2
    assert adjusted_rand_score(found.labels, whole.labels) > 0.99
    assert [one.n for one in found.clusters] == [one.n for one in whole.clusters]
    np.testing.assert_allclose(found.probabilities, whole.probabilities, atol=0.02)
    assert found.figures["accuracy"].mean == 1
    assert "group" not in found.covariates


def test_the_sample_has_typicality_and_all_rows_a_cluster(made):
    found, folder = made
    known = np.isfinite(found.typicality)
    assert known.sum() == 300
    assert ((found.typicality[known] > 0) & (found.typicality[known] <= 1)).all()
    rows = read_tsv(folder / "clusters.tsv").rows
    assert len(rows) == 600
    assert [row["typicality"] == "n/a" for row in rows] == (~known).tolist()
    assert any("300 rows drawn from 600" in remark for remark in found.remarks)
    for one in found.clusters:
        assert (found.labels[list(one.exemplars)] == one.label).all()
        assert np.isfinite(found.typicality[list(one.exemplars)]).all()
    assert (folder / "report.html").stat().st_size > 10_000
    json.loads((folder / "clusters.json").read_text(), parse_constant=lambda word: pytest.fail(word))


def test_the_model_assigns_new_rows(made):
    _, folder = made
    new = medunsup.cluster(groups(20, seed=5), model=folder)
    expected = [int(word == "patient") for word in groups(20, seed=5).column("group")]
    assert new.labels.tolist() == expected
    assert len(new.background_labels) == len(new.background["pca"])
    assert ((new.typicality > 0) & (new.typicality <= 1)).all()


def test_components_of_a_stream_are_those_of_the_rows():
    from medunsup.clustering.preparation import Preparation

    rows = groups(90).values
    whole = Preparation(components=3).fit(rows)
    parts = Preparation(components=3).fit_stream(lambda: np.array_split(rows, 7))
    np.testing.assert_allclose(parts.transform(rows), whole.transform(rows), atol=1e-9)


@pytest.mark.slow
def test_an_array_on_disk_takes_less_memory_than_it_holds(tmp_path, monkeypatch):
    for place in ("medunsup.workflows.cluster.streamed", "medunsup.clustering.methods.minibatch_kmeans"):
        monkeypatch.setattr(f"{place}.SAMPLE", 3_000)
    rng = np.random.default_rng(0)
    n, d = 200_000, 64
    rows = rng.normal(size=(n, d)).astype(np.float32)
    rows[: n // 3, :8] += 5
    np.save(tmp_path / "rows.npy", rows)
    del rows
    medunsup.cluster(groups(40), method="minibatch_kmeans", k=2, **QUICK)  # what is imported once
    tracemalloc.start()
    how = {"k": 2, "seeds": 1, "umap": False, "parameters": {"n_init": 1}}
    found = medunsup.cluster(tmp_path / "rows.npy", stream=True, **how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.n for one in found.clusters] == pytest.approx([n - n // 3, n // 3], abs=20)
    assert peak < 0.6 * n * d * 8


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"method": "gmm"}, "method=.minibatch_kmeans"),
        ({"harmonise": "site"}, "needs all rows in memory"),
        ({"drop_incomplete": True}, "needs all rows in memory"),
        ({"model": "."}, "fit in memory"),
        ({"components": 9}, "components of 6 features"),
    ],
)
def test_what_needs_all_rows_at_once_is_refused(choices, said, table):
    with pytest.raises(UsageError, match=said):
        medunsup.cluster(table, stream=True, **choices)


def test_a_table_in_memory_and_a_csv_are_no_streams(tmp_path):
    with pytest.raises(UsageError, match="table on disk"):
        medunsup.cluster(groups(40), stream=True)
    with pytest.raises(UsageError, match=r"reads \.parquet or \.npy"):
        medunsup.cluster(medunsup.write_features(tmp_path / "a.csv", groups(40)), stream=True)
