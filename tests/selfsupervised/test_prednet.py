"""PredNet sees the slices before, not the next one nor later ones, and is measured beside plain guesses."""

import numpy as np
import pytest
import torch
from helpers.pretraining import make
from helpers.small_brains import small_brains

from medunsup.core.errors import InputError
from medunsup.selfsupervised.slice_runs import SliceRuns, earlier, hide_later
from medunsup.training.datasets import Draws
from medunsup.training.learner import Batch, View
from medunsup.training.scan_stack import Scans


def waves(n: int, seed: int, side: int, n_slices: int) -> Scans:
    """Volumes of a wave that runs on from slice to slice, each from a phase of its own."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, 1, 1, 1))
    i, j, k = np.meshgrid(np.arange(side), np.arange(side), np.arange(n_slices), indexing="ij")
    return Scans.of_arrays((0.5 + 0.3 * np.sin(0.9 * k + 0.2 * i + 0.1 * j + phase)).astype(np.float32))


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [(16, 16), (5, 7)])
def test_views_are_neighbouring_slices_of_one_scan_the_next_first(size):
    values = (
        np.zeros((3, 1, 16, 16, 9), np.float32) + np.arange(9) + 100 * np.arange(3).reshape(3, 1, 1, 1, 1)
    )
    data = SliceRuns(values, np.ones((3, 16, 16, 9), bool), size=size, before=3)
    batch = data.batch(np.arange(len(data)), Draws(1, 2))
    assert [view.values.shape[2:] for view in batch.views] == [size] * 4
    target, *before = batch.views
    for steps, view in enumerate(before, start=1):
        assert torch.equal(view.values, target.values - steps)
    assert np.array_equal(target.values[:, 0, 0, 0] // 100, batch.scans)


def test_what_comes_next_is_hidden_and_alone_counts():
    scans = small_brains(5)
    view = View(torch.from_numpy(scans.values), torch.from_numpy(scans.masks)[:, None])
    shown, target = hide_later(view, drawn())
    for n in range(5):
        (chosen,) = set(target.masks[n, 0].nonzero()[:, 2].tolist())
        assert chosen >= 2
        assert torch.equal(target.masks[n, ..., chosen], view.masks[n, ..., chosen])
        assert not shown.values[n, ..., chosen:].any()
        assert torch.equal(shown.values[n, ..., :chosen], view.values[n, ..., :chosen])
    assert torch.equal(target.values, view.values)


def test_what_comes_later_changes_nothing():
    learner = make("prednet", 3)._build(small_brains().shape)
    scans = small_brains(4)
    batch = Batch(torch.from_numpy(scans.values), torch.from_numpy(scans.masks)[:, None], torch.arange(4))
    shown, target = learner.augment(batch, drawn()).views
    later = earlier(target.masks.any(dim=(2, 3), keepdim=True).float(), 1).cumsum(-1) > 0
    other = View(torch.where(later, 9.0, target.values), target.masks)
    first, second = (learner.errors(batch.shown_as([shown, one])) for one in (target, other))
    assert first == second


@pytest.mark.parametrize("dims", [2, 3])
def test_copying_and_extrapolating_are_what_they_are_called(dims):
    scans = small_brains(4)
    method = make("prednet", dims)
    learner, data = method._build(scans.shape), method.dataset(scans)
    batch = learner.augment(data.batch(np.arange(4)), drawn())
    found = learner.errors(batch)
    if dims == 2:
        target, last, second = (view.values.numpy() for view in batch.views[:3])
        inside = batch.views[0].masks.numpy()
    else:
        target, inside = batch.views[1].values.numpy(), batch.views[1].masks.numpy()
        last, second = (np.roll(target, steps, axis=-1) for steps in (1, 2))
    for name, guess in {"copying": last, "linear": 2 * last - second}.items():
        errors = [((guess - target)[n][inside[n]] ** 2).mean() if inside[n].any() else 0 for n in range(4)]
        assert float(found[name]) == pytest.approx(np.mean(errors), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_waves_of_new_scans_are_predicted_better_than_by_copying_and_extrapolating(dims):
    epochs, size, shape = {2: (8, 24, (16, 12)), 3: (20, 8, (8, 8))}[dims]
    method = make("prednet", dims, epochs=epochs, batch_size=size, learning_rate=1e-2)
    method.fit(waves(32, 0, *shape))
    data = method.dataset(waves(16, 2, *shape))
    with torch.no_grad():
        figures = method.learner_.eval().measure(data.batch(np.arange(16)), drawn())
    assert figures["next_slice"] < 0.7 * min(figures["copying"], figures["linear"])


def test_a_run_that_does_not_beat_copying_says_so():
    learner = make("prednet", 2, epochs=20)._build(small_brains().shape)
    figures = {"feature_std": 0.5, "feature_rank": 5.0, "zero_share": 0.0, "copying": 0.02, "linear": 0.05}
    first = {"epoch": 0, "prediction": None, "next_slice": 1.0, **figures}
    last = {"epoch": 20, "prediction": 0.01, **figures}
    said = learner.verdict([first, {**last, "next_slice": 0.03}])
    assert "(0.03) is no lower than that of copying the last slice (0.02)" in said
    assert learner.verdict([first, {**last, "next_slice": 0.01}]) == ""


@pytest.mark.parametrize(("dims", "n_slices"), [(2, 1), (2, 3), (3, 2)])
def test_scans_without_a_next_slice_are_refused(dims, n_slices):
    scans = small_brains(4, (16, 16, 8))
    flat = Scans(scans.values[..., 3 : 3 + n_slices], scans.masks[..., 3 : 3 + n_slices])
    with pytest.raises(InputError, match=f"there are {n_slices} in all"):
        make("prednet", dims).fit(flat)
