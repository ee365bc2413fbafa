"""Tables of a user's own: which column is what, and what is refused in words."""

import logging

import numpy as np
import pytest

from medunsup.cohort.feature_table import formats
from medunsup.cohort.feature_table.read import read_features
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.feature_table.write import write_features
from medunsup.core.errors import (
    ArrayError,
    DependencyError,
    InputError,
    MissingError,
    OutputError,
    ResultThereError,
    UsageError,
)


@pytest.fixture
def write(tmp_path):
    def _write(text: str, name: str = "table.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return _write


def test_numbers_are_features_but_for_those_named(write):
    path = write("participant_id,age,gm,wm,site\n01,60,5.5,4,A\n02,70,6,3,B\n")
    table = read_features(path, covariates=["age", "site"])
    assert table.names == ("gm", "wm")
    assert table.values.tolist() == [[5.5, 4], [6, 3]]
    assert table.column("subject") == ("01", "02")
    assert table.column("age") == ("60", "70")
    assert table.column("site") == ("A", "B")


def test_where_a_name_has_a_stroke_only_those_are_features(write):
    table = read_features(write("scan,age,volumes/GM_ml\na,60,1\nb,70,2\n"))
    assert table.names == ("volumes/GM_ml",)
    assert list(table.covariates) == ["age"]


def test_a_column_that_says_who_is_no_feature(write):
    assert read_features(write("id,x\n1,2\n2,3\n")).names == ("x",)


def test_constant_columns_are_left_out_and_told(write, caplog):
    path = write("a,b,c\n1,2,3\n1,3,3\n")
    with caplog.at_level(logging.INFO, logger="medunsup"):
        assert read_features(path).names == ("b",)
    assert "the same in all rows (2): a, c." in caplog.text
    assert read_features(path, drop_constant=False).names == ("a", "b", "c")


def test_columns_of_words_are_covariates_and_told(write, caplog):
    path = write("id,site,gm,date,wm\n1,A,5.5,2020-01-02,4\n2,n/a,6,2020-01-03,3\n3,B,7,2021-02-03,5\n")
    with caplog.at_level(logging.INFO, logger="medunsup"):
        table = read_features(path)
    assert table.names == ("gm", "wm")
    assert list(table.covariates) == ["site", "date"]
    assert table.column("site") == ("A", "n/a", "B")
    assert "no features, as they hold words (2): site, date." in caplog.text


def test_rows_with_gaps_are_left_out_if_asked_and_told(write, caplog):
    path = write("subject,a,b\nx,1,2\ny,,3\nz,2,inf\nw,4,5\n")
    assert read_features(path, drop_incomplete=True).values.tolist() == [[1, 2], [4, 5]]
    assert "2 of 4 rows left out, not whole: y, z." in caplog.text


def test_a_scan_that_is_there_twice_is_told(write, caplog):
    assert len(read_features(write("scan,a\nx,1\nx,2\n"))) == 2
    assert "several rows have the same keys: x." in caplog.text


def test_parquet_of_pandas_is_read_without_its_index(tmp_path):
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "t.parquet"
    frame = pandas.DataFrame(
        {"gm": [1, 2, 3], "wm": [1.5, 2.5, 0.5], "site": ["A", "B", "A"]}, index=[7, 8, 9]
    )
    frame.iloc[1:].to_parquet(path)
    table = read_features(path, covariates=["site"])
    assert table.names == ("gm", "wm")
    assert table.values.tolist() == [[2, 2.5], [3, 0.5]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,site\n1,A\n2,3\n", "column 'site' holds words .'A'.*covariates"),
        ("a\tb\n1,5\t2\n2,5\t3\n", "column 'a' holds words .'1,5'."),
        ("a\tb\n1 500.5\t2\n2'000\t3\n", "column 'a' holds words"),
        ("x/a,x/b\n1,A\n2,B\n", "column 'x/b' holds words .'A'."),
        ("a,b\n1,2\n2,3x\n", "column 'b' holds words .'3x'."),
        ("a;b\n1;2\n", "not parted by commas"),
        ("a,a\n1,2\n", "column 'a' twice"),
        (",a\n1,2\n", "column 1 has no name.*index=False"),
        ("a,b\n1,2\n3\n", "row 2 has 1 cells, but there are 2"),
        ("subject,participant_id,a\n1,2,3\n", "both name the subject"),
        ("a,b\n1,2\n1,2\n", "every feature is the same in all 2 rows"),
        ("a,b\n1,2\n", "has one row"),
    ],
)
def test_tables_of_wrong_use_are_refused(write, text, told):
    with pytest.raises(UsageError, match=told):
        read_features(write(text, "t.tsv" if "\t" in text else "t.csv"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("a,b\n", "has no rows"),
        ("subject\nx\n", "has no column of features"),
        ("subject,a\nx,1\ny,\n", r"'a' of row 2 \(y\) is empty \(1 of 2.*drop_incomplete"),
        ("a\n1\ninf\n", "'a' of row 2 is inf"),
        ("a,b\n,1\n2,n/a\n", "no row is whole"),
        (b"a\n\xff\xfe\n", "no table of text in UTF-8"),
        ('a,b\n1,"2\n', "cannot be read as a table"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(write, text, told):
    with pytest.raises(InputError, match=told):
        read_features(write(text))


def test_no_whole_row_is_refused_even_if_gaps_may_be_left_out(write):
    with pytest.raises(InputError, match="no row is whole"):
        read_features(write("a,b\n,1\n2,\n"), drop_incomplete=True)


def test_a_covariate_that_is_not_there_is_named_with_the_nearest(write):
    with pytest.raises(UsageError, match=r"no column .agee.*Did you mean .age"):
        read_features(write("age,a\n1,2\n3,4\n"), covariates=["agee"])


def test_a_column_that_is_not_there_is_answered_with_the_nearest_or_those_there_are(write):
    table = read_features(
        write("id,group,site,age,a\nx,p,1,3,2\ny,q,2,4,4\n"), covariates=["group", "site", "age"]
    )
    with pytest.raises(UsageError, match=r"no column .grp.*Did you mean .group"):
        table.column("grp")
    with pytest.raises(UsageError, match=r"There are: subject, group, site and 1 more\.$"):
        table.column("zzzz")


def test_files_that_are_no_tables_are_refused(write, tmp_path):
    with pytest.raises(UsageError, match="parquet, "):
        read_features(write("", "table.xlsx"))
    for scans in (tmp_path, "scan.nii.gz", "images.npz"):
        with pytest.raises(UsageError, match="medunsup embed"):
            read_features(scans)
    with pytest.raises(MissingError, match="no such file"):
        read_features(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is no Parquet file"):
        read_features(write("a,b\n", "t.parquet"))


def test_a_damaged_parquet_and_one_of_lists_are_refused(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(arrow.table({"a": [[1.0], [2.0]]}), path)
    with pytest.raises(InputError, match="'a' holds lists"):
        read_features(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged"):
        read_features(path)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(DependencyError, match=r"\[tables\]"):
        formats.pyarrow(tmp_path / "t.parquet")


def test_nothing_is_replaced_without_force(tmp_path):
    table = FeatureTable([[1.0], [2.0]], ["a"])
    path = write_features(tmp_path / "t.csv", table)
    with pytest.raises(ResultThereError, match="force"):
        write_features(path, table)
    write_features(path, FeatureTable([[3.0], [4.0]], ["a"]), force=True)
    assert read_features(path).values.tolist() == [[3], [4]]


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_features(tmp_path / "file" / "t.csv", FeatureTable([[1.0]], ["a"]))
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("names", [["a/b", "c"], ["scan"], ["Participant_ID"]])
def test_names_that_would_be_read_as_something_else_are_not_written(tmp_path, names):
    with pytest.raises(UsageError, match="would"):
        write_features(tmp_path / "t.csv", FeatureTable(np.ones((2, len(names))), names))


@pytest.mark.parametrize(
    "parts",
    [
        {"values": [1.0, 2.0]},
        {"values": [[np.nan], [1.0]]},
        {"names": ["a", "b"]},
        {"names": [""]},
        {"names": ["a\n"]},
        {"keys": {"scan": ["x"]}},
        {"keys": {"who": ["x", "y"]}},
        {"covariates": {"a": ["1", "2"]}},
    ],
)
def test_parts_that_do_not_fit_are_refused(parts):
    with pytest.raises(ArrayError):
        FeatureTable(**{"values": [[1.0], [2.0]], "names": ["a"], **parts})


def test_a_table_without_the_features_of_a_model_is_refused_by_name():
    with pytest.raises(InputError, match="lacks 1 of 2 features that are asked for: wm"):
        FeatureTable([[1.0]], ["gm"]).only(["gm", "wm"])
