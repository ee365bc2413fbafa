"""A table read in batches has the principal components that it has in memory."""

import numpy as np
import pytest
from helpers.feature_tables import table

import medunsup
from medunsup.core.errors import UsageError
from medunsup.io.files.tsv import read_tsv


@pytest.fixture
def on_disk(tmp_path):
    """A table of 300 rows as Parquet."""
    return medunsup.write_features(tmp_path / "rows.parquet", table(300))


def test_rows_in_batches_have_the_axes_of_rows_in_memory(on_disk, tmp_path):
    found = medunsup.reduce(on_disk, tmp_path / "map", stream=True, colour="site")
    whole = medunsup.reduce(table(300), method="pca")
    assert found.method == "pca"
    np.testing.assert_allclose(found.places, whole.places, atol=1e-9)
    np.testing.assert_allclose(found.modes, whole.modes, atol=1e-9)
    assert found.figures.trustworthiness == pytest.approx(whole.figures.trustworthiness)
    assert len(read_tsv(tmp_path / "map" / "map.tsv").rows) == 300
    assert (tmp_path / "map" / "report.html").stat().st_size > 10_000
    again = medunsup.reduce(table(300).rows([7]), model=tmp_path / "map")
    np.testing.assert_allclose(again.places[0], whole.places[7], atol=1e-9)


def test_figures_of_a_large_table_are_of_the_rows_that_were_kept(on_disk, monkeypatch):
    monkeypatch.setattr("medunsup.reduction.methods.pca.SAMPLE", 100)
    found = medunsup.reduce(on_disk, stream=True)
    assert found.places.shape == (300, 2)
    assert found.figures.trustworthiness == pytest.approx(
        medunsup.reduce(table(300), method="pca").figures.trustworthiness, abs=0.1
    )
    assert any("100 of them, evenly drawn" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"method": "umap"}, "method=.pca"),
        ({"model": "."}, "fit in memory"),
        ({"drop_incomplete": True}, "needs all rows in memory"),
    ],
)
def test_what_needs_all_rows_at_once_is_refused(choices, said, on_disk):
    with pytest.raises(UsageError, match=said):
        medunsup.reduce(on_disk, stream=True, **choices)
    with pytest.raises(UsageError, match="table on disk"):
        medunsup.reduce(table(30), stream=True)
