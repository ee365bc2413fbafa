"""The data card of clusters says who is in the table, and names nobody."""

import numpy as np
import pytest
import yaml
from helpers.feature_tables import groups

import medunsup
from medunsup.cohort.clusters.data_card import data_card

QUICK = {"method": "kmeans", "k": 2, "seeds": 1, "umap": False}


def parts(text: str) -> tuple[dict, dict[str, str]]:
    _, fields, rest = text.split("---\n", 2)
    sections = {one.split("\n")[0]: one.split("\n", 1)[1].strip() for one in rest.split("\n## ")[1:]}
    return yaml.safe_load(fields), sections


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Clusters with sites taken out, and their card."""
    out = tmp_path_factory.mktemp("card")
    found = medunsup.cluster(groups(40), out, harmonise="site", covariates=["age"], **QUICK)
    return found, (out / "data_card.md").read_text()


def test_it_counts_rows_subjects_sites_and_says_what_was_taken_out(made):
    fields, sections = parts(made[1])
    assert (fields["rows"], fields["subjects"], fields["features"]) == (40, 40, 6)
    assert (fields["site"], fields["harmonised_by"]) == ("site", "site")
    assert sections["Sites"] == "site: A (20), B (20)."
    assert "The effects of age were kept" in sections["Harmonising"]


def test_covariates_are_summed_up_as_they_are_in_the_table(made):
    _, sections = parts(made[1])
    rows = groups(40)
    ages = np.array(rows.column("age"), float)
    said = f"age: mean {ages.mean():.4g}, standard deviation {ages.std():.4g}, from {ages.min():.4g}"
    assert said in sections["Covariates"]
    women = sum(one == "F" for one in rows.column("sex"))
    assert f"F ({women})" in sections["Covariates"]
    assert all(name in sections["Features"] for name in rows.names)


def test_it_names_nobody_and_forbids_something(made):
    _, text = made
    assert "sub-" not in text
    forbidden = parts(text)[1]["What it must not be used for"]
    assert all(line.startswith("- ") for line in forbidden.splitlines())


def test_what_is_not_known_is_said():
    rows = groups(20)
    cells = ["n/a", "", *["7"] * 9, *["8"] * 9]
    table = medunsup.FeatureTable(rows.values, rows.names, {}, {"score": cells, "none": ["n/a"] * 20})
    text = data_card(medunsup.cluster(table, **QUICK), {"spacing_mm": 2.0})
    fields, sections = parts(text)
    assert fields["subjects"] == fields["site"] == "not named"
    assert "7 (9), 8 (9); not known of 2" in sections["Covariates"]
    assert "none: not known of any row" in sections["Covariates"]
    assert "grid of 2 mm" in sections["Features"]
    assert "may be scanners" in sections["Harmonising"]


def test_new_rows_have_no_card(made, tmp_path):
    medunsup.cluster(groups(40), tmp_path / "model", **QUICK)
    medunsup.cluster(groups(8, seed=3), tmp_path / "new", model=tmp_path / "model")
    assert not (tmp_path / "new" / "data_card.md").exists()
