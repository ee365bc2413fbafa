"""The page of clusters: the verdict first, marks told apart by more than colour, what may not be read."""

import re
from dataclasses import replace

import pytest
from helpers.feature_tables import groups

import medunsup
from medunsup.cohort.clusters.parts import SiteFinding
from medunsup.cohort.clusters.record import as_record
from medunsup.cohort.clusters.words import covariates, sentences
from medunsup.report.cluster.choosing import criteria, null_picture, proposed
from medunsup.report.cluster.effects import WIDTH, effects_by_cluster
from medunsup.report.cluster.marks import SHAPES, mark
from medunsup.report.cluster.page import page

QUICK = {"method": "kmeans", "max_k": 3, "seeds": 2, "umap": False}


@pytest.fixture(scope="module")
def found():
    """Clusters of two groups."""
    return medunsup.cluster(groups(), truth="group", **QUICK)


def body(text: str) -> str:
    """Return what a reader sees, without marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", text[text.index("<body>") :]).split())


def test_the_verdict_is_the_first_line(found):
    assert body(page(found)).removeprefix("✓ ").startswith(found.verdict)


def test_every_row_is_a_mark_of_its_cluster_that_tells_whose_it_is(found):
    text = page(found)
    assert text.count(", cluster 0</title>") == 48
    assert text.count(", cluster 1</title>") == 32
    assert "<title>sub-007, cluster 0</title>" in text


def test_no_two_of_49_clusters_look_alike_and_neighbours_differ_in_shape_too():
    looks = [(mark(n).colour, mark(n).shape) for n in range(49)]
    assert len(set(looks)) == 49
    assert len({shape for _, shape in looks[: len(SHAPES)]}) == len(SHAPES)
    assert (mark(-1).colour, mark(-1).shape) not in looks


def test_intervals_are_drawn_on_the_side_of_zero_where_they_lie(found):
    for label, rows in effects_by_cluster(found).items():
        age = next(row for row in rows if row.name == "age")
        low, value, high = age.places
        assert 0 <= low < value < high <= WIDTH
        assert (low > WIDTH / 2) is (label == 1)
        assert age.is_there


def test_criteria_run_from_their_worst_to_their_best_number_of_clusters(found):
    drawn = criteria(found.choice)
    tops = {}
    for curve in drawn.curves:
        points = [tuple(map(float, pair.split())) for pair in re.split("[ML]", curve.path) if pair]
        tops[curve.name] = min(points, key=lambda point: point[1])[0]
    assert tops["silhouette"] == pytest.approx(drawn.mark)
    assert tops["BIC"] == pytest.approx((found.choice.proposals["bic"] - 1) / 2 * drawn.width)
    assert {one.name for one in proposed(found.choice)} >= {"elbow", "silhouette", "gap statistic", "BIC"}


def test_draws_without_clusters_lie_left_of_stable_rows(found):
    picture = null_picture(found.stability)
    assert [row.name for row in picture.rows] == ["one Gaussian", "each feature shuffled"]
    places = sorted(picture.rows[0].places)
    assert places[-3] < picture.own <= picture.width


def test_page_text_and_json_name_the_p_that_decides_and_the_two_it_comes_from(found):
    gaussian = replace(found.choice.nulls[0], stability_p=0.125, tightness_p=0.025)
    changed = replace(found, choice=replace(found.choice, nulls=(gaussian, *found.choice.nulls[1:])))
    comes_from = "twice the smaller of 0.125 for stability and 0.025 for tightness"
    for text in (body(page(changed)), " ".join(sentences(changed))):
        assert comes_from in text
        assert "0.050" in text
    valley, beside = as_record(changed)["decided_by"]
    assert beside["p"] == pytest.approx(2 * 0.025)
    assert beside["is_met"] is valley["is_met"] is True
    assert comes_from in beside["how"]


def test_a_valley_that_few_rows_cannot_tell_is_neither_met_nor_a_number():
    few = medunsup.cluster(groups(20), k=3, method="kmeans", seeds=1, umap=False)
    valley = as_record(few)["decided_by"][0]
    assert not valley["is_met"]
    assert "rows are too few to tell" in body(page(few))
    assert "nan" not in body(page(few)) + " ".join(sentences(few))


def test_of_one_seed_no_interval_is_written():
    one = medunsup.cluster(groups(), k=2, truth="group", method="kmeans", seeds=1, umap=False)
    assert "beside gmm" in " ".join(sentences(one))
    assert "nan" not in " ".join(sentences(one))
    assert "one seed: too few to tell" in body(page(one))
    assert "[nan" not in body(page(one))


def test_of_two_clusters_each_difference_is_said_once(found):
    assert {line.split(":")[0] for line in covariates(found)} == {"cluster 0"}


def test_where_no_clusters_were_found_the_page_says_what_that_does_not_show():
    none = medunsup.cluster(groups(apart=0.0), **QUICK)
    text = body(page(none))
    assert text.removeprefix("– ").startswith("No clusters were found")
    assert "does not show that there are none" in text
    assert "Covariates of each cluster" not in text


def test_a_cluster_that_is_a_site_is_warned_of_in_the_verdict_and_named(found):
    finding = SiteFinding("site", False, None, {1: "B"})
    text = page(replace(found, site=finding))
    assert 'class="verdict check"' in text
    assert "Cluster 1 is the site B." in body(text)
    assert "No column names the site" in body(page(replace(found, site=None)))


def test_pictures_of_scans_stand_by_their_names(found):
    row = found.clusters[0].exemplars[2]
    text = page(found, {row: "data:image/jpeg;base64,AAAA"})
    assert text.count("<img") == 1
    assert f'alt="Middle slices of {found.label(row)}"' in text


def test_new_rows_lie_on_the_grey_map_of_the_fitted_ones(tmp_path):
    medunsup.cluster(groups(), tmp_path / "made", **QUICK)
    text = page(medunsup.cluster(groups(10, seed=3), model=tmp_path / "made"))
    assert text.count('class="behind"') == 80
    assert "New rows are assigned to the nearest clusters whether they belong there or not" in body(text)


def test_names_in_a_table_cannot_break_the_page_and_it_loads_nothing(found):
    evil = ["<script>alert(1)</script>"] * 80
    text = page(replace(found, keys={"subject": evil}, truth=("g", evil)))
    assert "<script>" not in text
    assert not re.search(r"(src|href)=.?(https?:|//)", text)
