"""The graph of nearest neighbours is that of all distances, or nearly."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from medunsup.clustering.neighbour_graph import exact_neighbours, neighbour_graph
from medunsup.core.errors import ArrayError


def rows(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)) @ rng.normal(size=(4, 12)) + 0.1 * rng.normal(size=(n, 12))


def test_the_exact_graph_is_that_of_all_distances():
    table = rows(200)
    graph = neighbour_graph(table, 7)
    distances = cdist(table, table)
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1)[:, :7]
    assert graph.is_exact
    np.testing.assert_array_equal(graph.indices, order)
    np.testing.assert_allclose(graph.distances, np.take_along_axis(distances, order, axis=1))


def test_equal_rows_are_neighbours_of_one_another_and_no_row_is_its_own():
    table = np.repeat(rows(20), 3, axis=0)
    graph = neighbour_graph(table, 2)
    assert (graph.indices // 3 == np.arange(60)[:, None] // 3).all()
    assert (graph.indices != np.arange(60)[:, None]).all()
    np.testing.assert_allclose(graph.distances, 0, atol=1e-6)


def test_of_rows_equally_far_the_earlier_comes_first_and_k_is_cut_to_the_others():
    table = np.array([[0.0], [1.0], [-1.0], [5.0]])
    indices, distances = exact_neighbours(table, 9)
    assert indices[0].tolist() == [1, 2, 3]
    assert distances[0].tolist() == [1, 1, 5]


@pytest.mark.slow
def test_the_descent_finds_nearly_all_neighbours_and_the_same_ones_again():
    pytest.importorskip("pynndescent")
    table = rows(3000)
    exact, graph, again = (neighbour_graph(table, 10, exact=one) for one in (True, False, False))
    assert not graph.is_exact
    np.testing.assert_array_equal(graph.indices, again.indices)
    assert (graph.indices != np.arange(3000)[:, None]).all()
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(graph.indices, exact.indices, strict=True)])
    assert recall > 0.95
    far = np.linalg.norm(table[graph.indices[:, -1]] - table, axis=1)
    np.testing.assert_allclose(graph.distances[:, -1], far, rtol=1e-4)


def test_wrong_numbers_of_neighbours_are_refused():
    with pytest.raises(ArrayError, match="k is between 1 and 4"):
        neighbour_graph(rows(5), 5)
