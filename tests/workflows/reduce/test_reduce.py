"""`reduce`: a map of a table, saved whole; new rows placed on it; what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.feature_tables import NAMES, table, write

import medunsup
from medunsup.cohort.maps.folder import read_map
from medunsup.core.errors import InputError, MissingError, OutputError, ResultThereError, UsageError
from medunsup.io.files.tsv import read_tsv


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A map by pca of a table on disk, and its folder."""
    folder = tmp_path_factory.mktemp("map")
    write(folder / "features.csv")
    found = medunsup.reduce(folder / "features.csv", folder / "map", method="pca", colour="site")
    return found, folder / "map"


def test_the_table_holds_keys_and_places_of_every_row(made):
    found, folder = made
    assert found.path == folder
    rows = read_tsv(folder / "map.tsv")
    assert rows.names == ["subject", "session", "pca_1", "pca_2"]
    assert [row["subject"] for row in rows.rows] == list(found.keys["subject"])
    places = [[float(row["pca_1"]), float(row["pca_2"])] for row in rows.rows]
    np.testing.assert_array_equal(places, found.places)


def test_covariates_are_no_features(made):
    found, folder = made
    assert found.names == tuple(NAMES)
    assert read_map(folder).manifest.features == tuple(NAMES)


def test_modes_are_written_in_the_units_of_the_features(made):
    _, folder = made
    modes = read_tsv(folder / "modes.tsv").rows
    assert [(row["axis"], row["deviations"]) for row in modes] == [
        ("pca_1", "-2"),
        ("pca_1", "2"),
        ("pca_2", "-2"),
        ("pca_2", "2"),
    ]
    middle = (float(modes[0][NAMES[0]]) + float(modes[1][NAMES[0]])) / 2
    assert middle == pytest.approx(table().values[:, 0].mean())


def test_the_same_table_gives_the_same_bytes(made, tmp_path):
    _, folder = made
    medunsup.reduce(table(), tmp_path / "again", method="pca", colour="site")
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith("."):
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("method", ["pca", "tsne", "mds"])
def test_new_rows_lie_where_the_fitted_method_places_them_and_fitted_rows_stay(method, tmp_path):
    parameters = {"epochs": 30} if method == "tsne" else {}
    found = medunsup.reduce(table(), tmp_path / "map", method=method, parameters=parameters)
    new = medunsup.reduce(table(6, seed=3), tmp_path / "new", model=tmp_path / "map")
    alone = medunsup.reduce(table(6, seed=3).rows([4]), model=tmp_path / "map")
    np.testing.assert_array_equal(alone.places[0], new.places[4])
    again = medunsup.reduce(table(), model=tmp_path / "map")
    np.testing.assert_array_equal(again.places, found.places)
    assert read_tsv(tmp_path / "new" / "map.tsv").names[-1] == "typicality"
    assert not (tmp_path / "new" / "model.safetensors").exists()


def test_rows_unlike_all_fitted_ones_are_named(made):
    _, folder = made
    new = medunsup.reduce(table(3, shift=500), model=folder)
    assert (new.typicality < 0.05).all()
    assert "3 of 3 rows" in new.remarks[0]
    assert "sub-000 1" in new.remarks[0]
    usual = medunsup.reduce(table(45, seed=9), model=folder)
    assert usual.typicality.mean() > 0.2


def test_groups_that_are_far_apart_give_a_map_to_be_trusted(made):
    found, _ = made
    assert found.figures.trustworthiness > 0.7
    noise = medunsup.FeatureTable(np.random.default_rng(0).normal(size=(45, 8)), NAMES)
    assert medunsup.reduce(noise, method="pca").figures.trustworthiness < found.figures.trustworthiness


def test_principal_components_stand_beside_any_other_map(made):
    found, _ = made
    other = medunsup.reduce(table(), method="mds")
    np.testing.assert_array_equal(other.pca, found.places)
    assert other.pca_figures == found.figures
    assert found.pca is None


def test_equal_rows_share_a_place_and_the_table_says_so():
    twice = table().rows([*range(45), 7])
    found = medunsup.reduce(twice, method="mds")
    np.testing.assert_array_equal(found.places[45], found.places[7])
    assert found.remarks == ("1 row is equal to another one: they share its place.",)


def test_a_map_is_not_replaced_unasked_and_no_file_of_others_is(made, tmp_path):
    _, folder = made
    with pytest.raises(ResultThereError, match="force=True"):
        medunsup.reduce(table(), folder, method="pca")
    (tmp_path / "map.tsv").write_text("mine")
    with pytest.raises(OutputError, match="not ours"):
        medunsup.reduce(table(), tmp_path, method="pca")
    assert (tmp_path / "map.tsv").read_text() == "mine"


def test_a_map_made_anew_by_another_method_leaves_nothing_of_the_first(tmp_path):
    medunsup.reduce(table(), tmp_path, method="pca")
    medunsup.reduce(table(), tmp_path, method="mds", force=True)
    assert not (tmp_path / "modes.tsv").exists()
    assert json.loads((tmp_path / "map.json").read_text())["method"] == "mds"


def test_what_cannot_be_done_is_said(made, tmp_path):
    _, folder = made
    with pytest.raises(UsageError, match=r"no reduction method 'kernelpca'.*mean 'kernel_pca'"):
        medunsup.reduce(table(), method="kernelpca")
    with pytest.raises(UsageError, match="There is no column 'sex'"):
        medunsup.reduce(table(), method="pca", colour="sex")
    with pytest.raises(UsageError, match="has its method and parameters"):
        medunsup.reduce(table(), method="pca", model=folder)
    with pytest.raises(InputError, match="lacks 1 of 8 features"):
        medunsup.reduce(table().only(NAMES[1:]), model=folder)
    with pytest.raises(UsageError, match="needs at least 3 distinct rows"):
        medunsup.reduce(table(2), method="pca")
    with pytest.raises(MissingError, match="no such folder"):
        medunsup.reduce(table(), model=tmp_path / "gone")
    with pytest.raises(InputError, match="holds no map"):
        medunsup.reduce(table(), model=tmp_path)
    with pytest.raises(UsageError, match="is the map itself"):
        medunsup.reduce(table(), folder, model=folder, force=True)


def test_rows_placed_on_a_map_are_no_map_and_a_damaged_one_is_none(made, tmp_path):
    _, folder = made
    medunsup.reduce(table(4), tmp_path / "new", model=folder)
    with pytest.raises(InputError, match="placed on another map"):
        medunsup.reduce(table(4), model=tmp_path / "new")
    medunsup.reduce(table(), tmp_path / "map", method="pca")
    file = tmp_path / "map" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-8] + bytes(8))
    with pytest.raises(InputError, match="hash differs"):
        medunsup.reduce(table(4), model=tmp_path / "map")


def test_a_table_without_keys_is_counted(tmp_path):
    bare = replace(table(), keys={})
    medunsup.reduce(bare, tmp_path, method="pca")
    assert read_tsv(tmp_path / "map.tsv").rows[0]["row"] == "1"


@pytest.mark.parametrize("colour", ["centre", "subject"])
def test_the_column_that_colours_is_no_feature(tmp_path, colour):
    lines = ["subject,centre,a,b", *(f"s{n},{'AB'[n % 2]},{n % 7},{n % 5}" for n in range(30))]
    (tmp_path / "own.csv").write_text("\n".join(lines))
    covariates = () if colour == "centre" else ("centre",)
    found = medunsup.reduce(tmp_path / "own.csv", method="pca", colour=colour, covariates=covariates)
    assert found.places.shape == (30, 2)
