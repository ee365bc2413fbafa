"""The page of a map: what it shows, and what it says may not be read from it."""

import re

import numpy as np
import pytest
from helpers.feature_tables import table

import medunsup
from medunsup.report.base.scatter_plot.scatter import HEIGHT, LARGEST, WIDTH, scatter
from medunsup.report.reduce.colouring import COLOURS, UNKNOWN, colouring
from medunsup.report.reduce.page import page


def test_every_row_is_a_dot_that_tells_whose_it_is_in_the_colour_of_its_covariate():
    text = page(medunsup.reduce(table(), method="pca", colour="site"))
    assert text.count("<circle") == 45
    assert "<title>sub-007 1</title>" in text
    for word in ("A (15)", "B (15)", "C (15)"):
        assert word in text


@pytest.mark.parametrize(("method", "is_warned"), [("tsne", True), ("mds", False)])
def test_pages_of_neighbour_maps_say_first_that_distances_between_groups_mean_little(method, is_warned):
    parameters = {"epochs": 20} if method == "tsne" else {}
    text = page(medunsup.reduce(table(), method=method, parameters=parameters))
    first = text[: text.index("What may not be read")]
    assert ("distance between two groups means little" in first) is is_warned
    assert ("Groups appear in plain noise as well" in text) is is_warned
    assert "The same rows on principal components" in text


def test_modes_of_variation_stand_on_the_page_of_pca_alone():
    assert "Modes of variation" in page(medunsup.reduce(table(), method="pca"))
    assert "Modes of variation" not in page(medunsup.reduce(table(), method="mds"))


def test_new_rows_stand_out_against_the_grey_fitted_ones(tmp_path):
    medunsup.reduce(table(), tmp_path / "map", method="mds")
    text = page(medunsup.reduce(table(4, seed=2), model=tmp_path / "map", colour="site"))
    assert text.count('class="behind"') == 45
    assert "between their nearest fitted rows" in text


def test_names_in_a_table_cannot_break_the_page():
    rows = table()
    evil = medunsup.FeatureTable(
        rows.values, rows.names, {"subject": ["<script>alert(1)</script>"] * 45}, {"site": ['"><b>'] * 45}
    )
    text = page(medunsup.reduce(evil, method="pca", colour="site"))
    assert "<script>" not in text
    assert "<b>" not in text
    assert not re.search(r"(src|href)=.?(https?:|//)", text)


def test_both_axes_have_one_scale_and_nothing_lies_outside():
    places = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 5.0]])
    drawn = scatter(places, ["#000000"] * 3, str, ("x", "y"))
    points = np.array([[dot.x, dot.y] for dot in drawn.dots])
    across, up = points[1] - points[0], points[2] - points[0]
    assert np.linalg.norm(across) == pytest.approx(2 * np.linalg.norm(up), rel=1e-2)
    assert up[1] < 0
    assert ((points >= 0) & (points <= [WIDTH, HEIGHT])).all()


def test_rows_at_one_place_share_a_larger_dot():
    places = np.array([[0.0, 0.0]] * 4 + [[1.0, 1.0]])
    radii = [dot.radius for dot in scatter(places, ["#000000"] * 5, str, ("x", "y")).dots]
    assert radii[0] == pytest.approx(2 * radii[4], rel=0.05)
    assert max(radii) <= LARGEST


def test_one_row_and_one_axis_can_be_drawn():
    assert len(scatter(np.array([[3.0]]), ["#000000"], str, ("x", "")).dots) == 1


def test_numbers_are_coloured_along_a_scale_and_words_by_a_few_colours():
    ages = colouring("age", [str(n) for n in range(20)] + ["n/a"], 21)
    assert ages.legend[0][0] == "0"
    assert ages.legend[-2][0] == "19"
    assert ages.colours[-1] == UNKNOWN
    assert len(set(ages.colours)) == 21
    words = colouring("site", [f"s{n % 9}" for n in range(90)] + [""], 91)
    assert {colour for _, colour in words.legend} == {*COLOURS, UNKNOWN}
    assert any(text.startswith("2 others") for text, _ in words.legend)
    assert colouring("", (), 3).legend == ()
    assert colouring("sex", ["0", "1", "1"], 3).legend[0][0] == "0 (1)"


def test_a_covariate_that_is_known_of_nobody_is_said_to_be_unknown():
    assert colouring("age", ["n/a", ""], 2).legend == (("not known", UNKNOWN),)
