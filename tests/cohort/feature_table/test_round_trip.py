"""What is written is read back, to the last bit, in each of the three kinds of files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.cohort.feature_table.read import read_features
from medunsup.cohort.feature_table.table import KEYS, FeatureTable
from medunsup.cohort.feature_table.write import write_features

each_kind = pytest.mark.parametrize("ending", ["parquet", "csv", "tsv"])
names = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=6).map(str.strip)
cells = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw) -> FeatureTable:
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    covariates = draw(st.lists(names.filter(bool), max_size=2, unique_by=str.casefold))
    covariates = [f"c{name.replace('/', '')}" for name in covariates]
    words = st.lists(cells, min_size=n, max_size=n)
    return FeatureTable(
        draw(st.lists(st.lists(numbers, min_size=d, max_size=d), min_size=n, max_size=n)),
        [f"f/{name}{n}" for n, name in enumerate(draw(st.lists(names, min_size=d, max_size=d)))],
        {key: draw(words) for key in draw(st.lists(st.sampled_from(KEYS), unique=True))},
        {name: draw(words) for name in covariates},
        draw(st.dictionaries(cells, st.lists(st.integers() | cells, max_size=2), max_size=2)),
    )


@each_kind
@settings(max_examples=20, deadline=None)
@given(table=tables())
def test_reading_what_was_written_gives_the_same_table(ending, table, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / f"features.{ending}"
    read = read_features(write_features(path, table), drop_constant=False)
    assert read.values.tobytes() == table.values.tobytes()
    assert (read.names, read.keys, read.covariates) == (table.names, table.keys, table.covariates)
    assert json.dumps(read.attributes) == json.dumps(table.attributes)
    assert sorted(each.name for each in path.parent.iterdir()) == sorted([path.name, "features.json"])


@each_kind
def test_keys_come_first_and_in_one_order(ending, tmp_path):
    table = FeatureTable([[1.0], [2.0]], ["v/a"], {"session": "ab", "scan": "cd"}, {"age": ["60", ""]})
    read = read_features(write_features(tmp_path / f"t.{ending}", table))
    assert list(read.keys) == ["scan", "session"]
    assert read.column("age") == ("60", "")


def test_the_three_kinds_hold_the_same(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 3))
    table = FeatureTable(values, ["a/1", "a/2", "b/1"], {"scan": "abcde"})
    read = [
        read_features(write_features(tmp_path / f"t{e}", table, force=True))
        for e in (".csv", ".tsv", ".parquet")
    ]
    assert all((one.values == values).all() and one.names == table.names for one in read)


def test_chosen_rows_and_columns_are_those_of_the_table():
    table = FeatureTable(np.arange(6).reshape(3, 2), "ab", {"subject": "xyz"}, {"age": "123"})
    part = table.rows([2, 0]).only(["b"])
    assert part.values.tolist() == [[5], [1]]
    assert (part.column("subject"), part.column("age"), part.label(0)) == (("z", "x"), ("3", "1"), "z")
    assert table.rows(np.array([False, True, False])).label(0) == "y"
