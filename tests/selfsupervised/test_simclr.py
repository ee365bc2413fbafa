"""SimCLR recognises the other view of images it has not seen, and never tells a subject from itself."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.augmentations.presets import PRESETS
from medunsup.selfsupervised.methods.simclr import SimCLR, SimCLRConfig
from medunsup.training.datasets import Slices
from medunsup.training.scan_stack import Scans

SMALL = {"batch_size": 24, "encoder_parameters": {"channels": 8, "levels": 2}}


def middle_slices(n: int, seed: int) -> Scans:
    """One slice of each of n people."""
    scans = small_brains(n, seed=seed)
    return Scans(scans.values[..., 4:5], scans.masks[..., 4:5])


def share_matched(method: SimCLR) -> float:
    """Share of new people whose second view is nearest to their first, of all second views."""
    data = method.dataset(middle_slices(40, seed=11))
    batch = data.batch(np.arange(len(data)))
    with torch.no_grad():
        one, other = method.learner_.eval().embedded_views(batch, torch.Generator().manual_seed(1))
    one, other = (torch.nn.functional.normalize(z, dim=1) for z in (one, other))
    return float(((one @ other.T).argmax(dim=1) == torch.arange(len(one))).float().mean())


def test_new_people_are_recognised_in_another_view():
    config = SimCLRConfig(**SMALL, epochs=20, learning_rate=3e-3, augmentations="classification")
    method, untrained = SimCLR(config).fit(middle_slices(96, seed=0)), SimCLR(config)
    untrained.learner_ = untrained._build((1, 16, 16, 1))
    assert share_matched(method) > 2 * share_matched(untrained)
    assert method.trained_.verdict == ""


def test_items_of_one_subject_are_no_negatives():
    scans = small_brains(4)
    learner = SimCLR(SimCLRConfig(**SMALL))._build(scans.shape)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for subjects in (("a",) * 4, ("a", "a", "b", "b"), ("a", "b", "c", "d")):
        data = Slices(scans.values, scans.masks, subjects=subjects)
        batch = data.batch(np.arange(len(data)))
        views = learner.augment(batch, generator.manual_seed(0))
        losses.append(learner.loss(learner.embed(views, generator), generator).total.item())
    assert losses[0] == pytest.approx(0, abs=1e-6)
    assert losses[0] < losses[1] < losses[2]


def test_validation_compares_subjects_though_each_has_more_slices_than_a_batch():
    config = SimCLRConfig(**SMALL | {"batch_size": 4}, epochs=1)
    ended = SimCLR(config).fit(small_brains(), validation=small_brains(3, seed=3)).trained_
    assert ended.best_validation > 0.1  # within one subject nothing is a negative, and the loss 0


def test_subjects_of_the_scans_reach_the_batches():
    scans = small_brains(4)
    named = Scans(scans.values, scans.masks, scans.names, subjects=("a", "a", "b", "c"))
    for parameters in (SMALL, {**SMALL, "patch": (12, 12)}):
        data = SimCLR(SimCLRConfig(**parameters)).dataset(named)
        batch = data.batch(np.arange(len(data)))
        assert len(torch.unique(batch.subjects)) == 3
        assert len(torch.unique(batch.scans)) == 4


def test_augmentations_are_named_or_given():
    assert SimCLRConfig(augmentations="classification").augmentations == PRESETS["classification"]
    assert SimCLRConfig(augmentations={"flip": 0.5}).augmentations.crop == 0
    changed = SimCLRConfig(augmentations={"preset": "strong", "flip": 0.5}).augmentations
    assert changed == PRESETS["strong"].model_copy(update={"flip": 0.5})
    again = SimCLRConfig.model_validate(SimCLRConfig().model_dump(mode="json"))
    assert again == SimCLRConfig()
    with pytest.raises(UsageError, match="augmentations: unknown key 'crap'; did you mean 'crop'"):
        SimCLRConfig(augmentations={"crap": 0.5})
    with pytest.raises(UsageError, match=r"'classify'\. Known: segmentation, classification, strong"):
        SimCLRConfig(augmentations="classify")
    with pytest.raises(UsageError, match=r"no preset 'plain'"):
        SimCLRConfig(augmentations={"preset": "plain", "flip": 0.5})
    with pytest.raises(UsageError, match=r"no preset \['strong'\]"):
        SimCLRConfig(augmentations={"preset": ["strong"]})
