"""Tissue pretext: targets made without labels, kept where the scan is, and learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.pretraining import make
from helpers.small_brains import small_brains
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.intensity_classes import intensity_classes
from medunsup.training.loop import Training
from medunsup.training.scan_stack import Scans


def plateaus(n: int, seed: int) -> tuple[Scans, np.ndarray]:
    """Images of three intensities in smooth places of their own, a little noise, and which is where."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(size=(n, 16, 16)), (0, 3, 3))
    edges = np.quantile(smooth, (0.25, 0.7), axis=(1, 2))[..., None, None]
    places = (smooth > edges[0]).astype(int) + (smooth > edges[1])
    images = np.array([0.2, 0.5, 0.8])[places] + rng.normal(0, 0.03, places.shape)
    return Scans.of_arrays(images.astype(np.float32)), places


def test_three_classes_are_found_from_dark_to_bright():
    scans, places = plateaus(4, seed=0)
    for (values, mask), truth in zip(scans, places, strict=True):
        found = intensity_classes(values, mask)
        assert np.allclose(found.sum(axis=0), 1, atol=1e-5)
        assert (found.argmax(axis=0)[..., 0] == truth).mean() > 0.98


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.01, 1000), offset=st.floats(-100, 100), seed=st.integers(0, 5))
def test_classes_do_not_depend_on_the_unit_of_intensities(scale, offset, seed):
    scans, _ = plateaus(1, seed)
    values, mask = scans.values[0].astype(np.float64), scans.masks[0]
    mask[:3] = False
    found = intensity_classes(scale * values + offset * scale, mask)
    assert np.allclose(found, intensity_classes(values, mask), atol=1e-3)
    assert not found[:, ~mask].any()


@pytest.mark.parametrize("values", [np.full((1, 4, 4, 1), 0.5), np.zeros((1, 4, 4, 1))])
def test_classes_of_one_intensity_are_numbers_that_sum_to_one(values):
    mask = np.ones(values.shape[1:], bool)
    assert np.allclose(intensity_classes(values.astype(np.float32), mask).sum(axis=0), 1)
    assert not intensity_classes(values.astype(np.float32), ~mask).any()


def test_classes_of_new_images_are_learned():
    small = {"channels": 8, "levels": 2}
    method = make("tissue_pretext", 2, epochs=12, batch_size=16, learning_rate=1e-2, encoder_parameters=small)
    method.fit(plateaus(96, seed=0)[0])
    scans, _ = plateaus(40, seed=1)
    data, learner = method.dataset(scans), method.learner_.eval()
    with torch.no_grad():
        loss = learner.loss(data.batch(np.arange(len(data))), torch.Generator())
    assert loss.total < 0.5 * loss.terms["proportions"]
    assert loss.terms["agreement"] > 0.7
    assert method.trained_.verdict == ""


def test_targets_that_are_given_are_what_is_learned():
    scans = small_brains(4)
    asked = np.zeros((4, 3, *scans.shape[1:]), np.float32)
    asked[:, 2] = scans.masks
    method = make("tissue_pretext", 3, epochs=60, batch_size=4, learning_rate=1e-2)
    method.fit(replace(scans, targets=asked))
    batch = method.dataset(replace(scans, targets=asked)).batch(np.arange(4))
    loss = method.learner_.eval().loss(batch, torch.Generator())
    assert loss.total < 0.1
    assert loss.terms["proportions"] == pytest.approx(0, abs=1e-4)


def test_targets_stay_while_inputs_change_and_nothing_counts_outside_the_mask():
    method = make("tissue_pretext", 2, noise=1.0, intensity=1.0)
    scans = small_brains(4)
    learner, data = method._build(scans.shape), method.dataset(scans)
    batch = data.batch(np.arange(len(data)))
    shown, asked = learner.augment(batch, torch.Generator().manual_seed(0)).views
    assert torch.equal(asked.values, batch.further[0].values)
    assert not torch.equal(shown.values, batch.values)
    outside = replace(asked, values=torch.where(asked.masks, asked.values, 9.0))
    losses = [learner.loss(batch.shown_as([shown, one]), torch.Generator()).total for one in (asked, outside)]
    assert torch.equal(losses[0], losses[1])


def test_transforms_that_would_move_scans_away_from_their_targets_are_refused():
    with pytest.raises(UsageError, match="targets would not follow"):
        make("tissue_pretext", 2).fit(small_brains(), training=Training(transform=lambda item: item))
