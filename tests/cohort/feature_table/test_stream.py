"""A table read in batches holds what the table read whole holds."""

from pathlib import Path

import numpy as np
import pytest

from medunsup.cohort.feature_table.read import read_features
from medunsup.cohort.feature_table.row_copy import RowCopy
from medunsup.cohort.feature_table.stream import open_stream
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.feature_table.write import write_features
from medunsup.core.errors import InputError, MissingError, UsageError

pytest.importorskip("pyarrow")


def table(n: int = 50) -> FeatureTable:
    values = np.random.default_rng(0).normal(size=(n, 3))
    values[:, 1] = 4
    keys = {"scan": [f"s{i}.nii" for i in range(n)], "subject": [f"{i:02d}" for i in range(n)]}
    return FeatureTable(values, ["a/1", "a/2", "b/1"], keys, {"age": ["", *["30"] * (n - 1)]}, {"spacing": 2})


@pytest.mark.parametrize("batch_rows", [7, 50, 1000])
def test_batches_of_parquet_are_the_table(tmp_path: Path, batch_rows: int):
    path = write_features(tmp_path / "t.parquet", table())
    stream, whole = open_stream(path, batch_rows=batch_rows), read_features(path)
    batches = list(stream.batches())
    assert {len(batch) for batch in batches[:-1]} <= {batch_rows}
    np.testing.assert_array_equal(np.concatenate(batches), whole.values)
    assert stream.names == whole.names == ("a/1", "b/1")
    assert stream.table.keys == whole.keys
    assert stream.table.covariates == whole.covariates
    assert stream.table.attributes == whole.attributes
    some = stream.rows(np.array([3, 20, 49]))
    np.testing.assert_array_equal(some.values, whole.values[[3, 20, 49]])
    assert some.label(1) == "20"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_batches_of_an_array_are_its_rows(tmp_path: Path, dtype):
    values = (100 * np.random.default_rng(0).normal(size=(30, 4))).astype(dtype)
    values[:, 2] = 1
    np.save(tmp_path / "x.npy", values)
    stream = open_stream(tmp_path / "x.npy", batch_rows=8)
    assert stream.names == ("001", "002", "004")
    np.testing.assert_array_equal(np.concatenate(list(stream.batches())), values[:, [0, 1, 3]])
    assert len(stream) == 30


def test_columns_of_words_are_told_apart_as_in_memory(tmp_path: Path):
    import pyarrow as arrow
    import pyarrow.parquet

    path = tmp_path / "words.parquet"
    columns = {"a": [1.0, 2, 4], "site": ["A", None, "B"], "b": [3, 4, 4], "is_old": [True, False, True]}
    arrow.parquet.write_table(arrow.table(columns), path)
    stream, whole = open_stream(path), read_features(path)
    assert stream.names == whole.names == ("a", "b")
    assert stream.table.covariates == whole.covariates
    assert list(whole.covariates) == ["site", "is_old"]
    arrow.parquet.write_table(arrow.table({"a": [1.0, 2], "b": ["3", "4"]}), path)
    with pytest.raises(UsageError, match=r"column 'b' holds string.*Save its numbers as numbers"):
        open_stream(path)


def test_a_gap_is_refused_with_row_and_column(tmp_path: Path):
    import pyarrow as arrow
    import pyarrow.parquet

    path = tmp_path / "gaps.parquet"
    rows = arrow.table({"id": [f"p{n}" for n in range(20)], "a": [1.0, 2] * 9 + [None, 1], "b": range(20)})
    arrow.parquet.write_table(rows, path)
    with pytest.raises(InputError, match=r"'a' of row 19 \(p18\) is empty"):
        open_stream(path, batch_rows=6)
    np.save(tmp_path / "inf.npy", np.array([[1.0, 2], [np.inf, 3]]))
    with pytest.raises(InputError, match="'001' of row 2 is inf"):
        open_stream(tmp_path / "inf.npy")


def test_what_cannot_be_streamed_is_refused_with_the_remedy(tmp_path: Path):
    with pytest.raises(MissingError, match="no such file"):
        open_stream(tmp_path / "none.npy")
    text = write_features(tmp_path / "t.csv", table())
    with pytest.raises(
        UsageError, match=r"t\.csv: stream=True reads \.parquet or \.npy, not \.csv\. Convert"
    ):
        open_stream(text)
    np.save(tmp_path / "flat.npy", np.ones(4))
    with pytest.raises(InputError, match=r"of the shape \(4,\)"):
        open_stream(tmp_path / "flat.npy")
    np.save(tmp_path / "same.npy", np.ones((4, 2)))
    with pytest.raises(UsageError, match="every feature is the same in all 4 rows"):
        open_stream(tmp_path / "same.npy")
    with pytest.raises(UsageError, match="no 'age'"):
        open_stream(tmp_path / "same.npy", covariates=["age"])
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(InputError, match="no Parquet file"):
        open_stream(tmp_path / "bad.parquet")


@pytest.mark.parametrize("kinds", [("float32", "int16"), ("float32", "float64"), ("float32", "int64")])
def test_rows_of_the_copy_are_those_of_the_file_to_the_last_bit(tmp_path: Path, kinds):
    import pyarrow as arrow
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    columns = {
        f"{kind}_{n}": (1e4 * rng.normal(size=50)).astype(kind) / 3 for kind in kinds for n in range(3)
    }
    columns = {name: of.astype(name.split("_")[0]) for name, of in columns.items()}
    columns["constant"] = np.ones(50, np.float32)
    path = tmp_path / "x.parquet"
    arrow.parquet.write_table(arrow.table(columns), path, row_group_size=7)
    stream = open_stream(path, batch_rows=9)
    assert stream.copy is not None
    assert stream.copy.dtype == (np.float64 if kinds[1] != "int16" else np.float32)
    whole = np.column_stack([columns[name].astype(np.float64) for name in stream.names])
    for _ in range(2):
        batches = list(stream.batches())
        assert [len(batch) for batch in batches] == [9] * 5 + [5]
        np.testing.assert_array_equal(np.concatenate(batches), whole)
    one, other = stream.batches(), stream.batches()  # at the same time
    np.testing.assert_array_equal(next(one), next(other))
    np.testing.assert_array_equal(next(one), whole[9:18])
    np.testing.assert_array_equal(stream.rows(np.array([0, 8, 9, 49])).values, whole[[0, 8, 9, 49]])


@pytest.mark.parametrize("why", ["no room", "disk full"])
def test_without_room_for_a_copy_the_file_is_read_each_time(tmp_path: Path, why, monkeypatch):
    path = write_features(tmp_path / "t.parquet", table())
    expected = np.concatenate(list(open_stream(path).batches()))
    if why == "no room":
        monkeypatch.setattr("medunsup.cohort.feature_table.row_copy.ROOM", 10**30)
    else:
        monkeypatch.setattr(RowCopy, "add", lambda self, rows: (_ for _ in ()).throw(OSError(28, "full")))
    stream = open_stream(path, batch_rows=4)
    assert stream.copy is None
    np.testing.assert_array_equal(np.concatenate(list(stream.batches())), expected)


def test_no_copy_is_left_behind(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    stream = open_stream(write_features(tmp_path / "t.parquet", table()))
    assert len(list(stream.batches())) == 1
    del stream
    assert not list((tmp_path / "temporary").iterdir())


def test_large_numbers_whose_sum_is_too_large_are_no_gap(tmp_path: Path):
    import pyarrow as arrow
    import pyarrow.parquet

    path = tmp_path / "large.parquet"
    values = np.array([3e38, 2e38, 3e38, 1.0], np.float32)
    arrow.parquet.write_table(arrow.table({"a": values, "b": values[::-1]}), path)
    batch = next(iter(open_stream(path).batches()))
    np.testing.assert_array_equal(batch, np.column_stack([values, values[::-1]]).astype(np.float64))
