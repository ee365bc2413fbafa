"""What is made ahead is what would be made when it is due, and an error is raised where it belongs."""

import os
import random
import signal
import threading
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from helpers.train_learners import Denoiser
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import RandGaussianNoised

from medunsup.training.datasets import Draws, Slices
from medunsup.training.feed import Feed, Request, made_ahead
from medunsup.training.loop import Training, train
from medunsup.training.signals import StoppedError


@given(st.integers(0, 12), st.integers(0, 4))
def test_everything_comes_once_and_in_order(count, threads):
    with made_ahead(lambda n: n * n, range(count), threads=threads) as made:
        assert list(made) == [n * n for n in range(count)]


def test_two_are_made_ahead_and_no_more():
    begun, third = [], threading.Event()

    def make(n: int) -> int:
        begun.append(n)
        if n == 2:
            third.set()
        return n

    with made_ahead(make, range(10)) as made:
        assert next(made) == 0
        assert third.wait(10)  # made without being asked for
        assert next(made) == 1
    assert set(begun) <= {0, 1, 2, 3}


def test_an_error_is_raised_where_its_result_is_taken():
    def make(n: int) -> int:
        if n == 3:
            raise ValueError("broken")
        return n

    with made_ahead(make, range(10)) as made:
        assert [next(made) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="broken"):
            next(made)


def test_no_thread_is_left_behind():
    before = threading.active_count()
    with made_ahead(lambda n: n, range(100)) as made:
        next(made)
    assert threading.active_count() == before


def global_noise(item: dict) -> dict:
    """Draws from all three sources of the whole process, as transforms of other packages do."""
    noise = torch.rand(()) + np.random.random() + random.random()  # noqa: NPY002
    return {**item, "values": item["values"] + noise}


@pytest.mark.parametrize(
    "transform", [RandGaussianNoised(keys="values", prob=1.0, std=0.1), global_noise], ids=["own", "global"]
)
def test_pieces_of_several_processes_are_the_rows_of_the_whole_batch(transform):
    scans = small_brains(4)
    data = Slices(scans.values, scans.masks, transform=[transform, transform])
    request = Request(np.arange(11)[::-1].copy(), Draws(5, 1, 7))
    ((whole,),) = [work.pieces for work in works(data, request)]
    rows = []
    for rank in range(3):
        for work in works(data, request, parts=5, rank=rank, processes=3, workers=2):
            rows += [(piece.first, piece.batch) for piece in work.pieces]
    ordered = [batch for _, batch in sorted(rows, key=lambda pair: pair[0])]
    for number in range(2):
        joined = torch.cat([batch.views[number].values for batch in ordered])
        assert torch.equal(joined, whole.batch.views[number].values)
    assert not torch.equal(whole.batch.views[0].values, whole.batch.views[1].values)


@pytest.mark.parametrize("workers", [0, 2])
def test_all_views_come_to_a_device_that_has_no_streams(workers):
    scans, device = small_brains(4), torch.device("meta")
    noisy = RandGaussianNoised(keys="values", prob=1.0, std=0.1)
    data = Slices(scans.values, scans.masks, transform=[noisy, noisy])
    with Feed(data, device, parts=2, workers=workers).works([Request(np.arange(6), Draws())]) as made:
        ((one, other),) = [work.pieces for work in made]
    views = [*one.batch.views, *other.batch.views]
    assert len(views) == 4
    assert {tensor.device for view in views for tensor in (view.values, view.masks)} == {device}


def works(data: Slices, request: Request, **split: int) -> list:
    with Feed(data, torch.device("cpu"), **split).works([request]) as made:
        return list(made)


def run(transform, **training: object) -> np.ndarray:
    learner, scans = Denoiser(), small_brains(4)
    data = Slices(scans.values, scans.masks, scans.names, transform=transform)
    train(learner, data, None, Training(**training), epochs=3, batch_size=4, seed=0)
    return np.concatenate([value.detach().flatten() for value in learner.parameters()])


@pytest.mark.parametrize(
    "transform", [RandGaussianNoised(keys="values", prob=0.5, std=0.1), global_noise], ids=["own", "global"]
)
def test_any_number_of_workers_draws_the_same(transform):
    scans = small_brains(4)
    data = Slices(scans.values, scans.masks, transform=[transform, transform])
    requests = [Request(np.arange(n, n + 5), Draws(0, 0, n)) for n in range(12)]

    def values(workers: int) -> list[torch.Tensor]:
        with Feed(data, torch.device("cpu"), workers=workers).works(requests) as made:
            return [view.values for work in made for view in work.pieces[0].batch.views]

    one = values(1)
    assert len(one) == 2 * len(requests)
    assert all(torch.equal(a, b) for a, b in zip(one, values(4), strict=True))


@pytest.mark.parametrize(
    "transform", [RandGaussianNoised(keys="values", prob=0.5, std=0.1), global_noise], ids=["own", "global"]
)
def test_what_was_made_ahead_of_a_stop_is_not_missed_by_the_resumed_run(transform):
    straight = run(transform)

    @given(st.integers(1, 18))
    @settings(max_examples=4, deadline=None)
    def check(step: int) -> None:
        def stop(progress) -> None:
            if progress.step == step:
                os.kill(os.getpid(), signal.SIGTERM)

        with TemporaryDirectory() as folder:
            with pytest.raises(StoppedError):
                run(transform, folder=folder, tell=stop)
            assert np.array_equal(run(transform, folder=folder, resume=True), straight)

    check()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_reaches_a_gpu_is_what_was_gathered_however_busy_it_is():
    scans, device = small_brains(8, (64, 64, 8)), torch.device("cuda:0")
    data = Slices(scans.values, scans.masks)
    requests = [Request(data.order(0, epoch)[:32], Draws(0, epoch)) for epoch in range(40)]
    busy = torch.rand(2048, 2048, device=device)
    with Feed(data, device, workers=2).works(requests) as made:
        for request, work in zip(requests, made, strict=True):
            for _ in range(20):
                busy = torch.nn.functional.normalize(busy @ busy)
            batch = work.pieces[0].batch
            values, masks = 2 * batch.values / 2, batch.masks.clone()
            expected = data.batch(request.items)
            assert torch.equal(values.cpu(), expected.values)
            assert torch.equal(masks.cpu(), expected.masks)
