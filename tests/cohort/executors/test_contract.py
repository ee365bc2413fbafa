"""What every executor keeps: each item once, its words, and a death that costs one item and has a reason."""

import time
from contextlib import suppress

from helpers import executor_tasks as tasks

from medunsup.cohort.executors.base import Lost, Work


def work(task, items, folder):
    return Work(task, items, [f"item {n}" for n in range(len(items))], folder)


def test_every_item_comes_back_once_with_what_was_said(where, tmp_path):
    said = []
    results = list(where.run(work(tasks.square, [3, 4, 5], tmp_path), lambda n, text: said.append((n, text))))
    assert sorted(results) == [(0, 9), (1, 16), (2, 25)]
    assert sorted(said) == [(0, "at 3"), (1, "at 4"), (2, "at 5")]


def test_a_death_costs_its_own_item_and_says_why(where, tmp_path):
    results = dict(where.run(work(tasks.die_at_two, [1, 2, 3, 4], tmp_path), lambda *_: None))
    lost = results.pop(1)
    assert results == {0: 1, 2: 3, 3: 4}
    assert isinstance(lost, Lost)
    assert "memory" in lost.why


def test_nothing_to_do_takes_nothing(where, tmp_path):
    assert list(where.run(work(tasks.square, [], tmp_path), lambda *_: None)) == []


def test_nothing_is_left_beside_the_results(where, tmp_path):
    list(where.run(work(tasks.square, [1], tmp_path), lambda *_: None))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_closing_ends_what_is_at_work(where, tmp_path):
    begun, files = [], [str(tmp_path / f"waited{n}") for n in range(2)]
    started = time.monotonic()

    def told(index, text):
        begun.append(index)
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        list(where.run(work(tasks.wait, files, tmp_path), told))
    assert begun
    assert time.monotonic() - started < 40
