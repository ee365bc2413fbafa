"""Methods that restore: what the network sees, what it is asked for, and that it learns to give it."""

import numpy as np
import pytest
import torch
from helpers.pretraining import make
from helpers.small_brains import small_brains

from medunsup.core.registry import methods
from medunsup.selfsupervised.no_better import no_better
from medunsup.training.learner import Batch, View
from medunsup.training.scan_stack import Scans

RESTORING = [card.name for card in methods("selfsupervised") if card.family == "restoration"]
CHANGED_ONLY = ["inpainting", "masked_autoencoder"]


EASIER = {  # for a training of seconds: less is hidden, and no curve turns bright into dark
    "masked_autoencoder": {"least_ratio": 0.3, "most_ratio": 0.6},
    "models_genesis": {"bend_probability": 0.0},
}


def ramps(n: int, seed: int) -> Scans:
    """Images that grow brighter in a direction of their own: no mean tells them, a part of one tells all."""
    rng = np.random.default_rng(seed)
    i, j = np.meshgrid(*[np.linspace(-1, 1, 16)] * 2, indexing="ij")
    angle = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    return Scans.of_arrays((0.5 + 0.3 * (i * np.cos(angle) + j * np.sin(angle))).astype(np.float32))


def all_of(method, scans) -> Batch:
    data = method.dataset(scans)
    return data.batch(np.arange(len(data)))


def built(name: str, dims: int, **parameters):
    """Give an untrained learner, and a batch of it."""
    method = make(name, dims, **parameters)
    scans = small_brains(4)
    return method._build(scans.shape), all_of(method, scans)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", RESTORING)
def test_the_target_is_the_item_as_it_was_and_the_input_is_not(name, dims):
    learner, batch = built(name, dims)
    before = batch.values.clone()
    shown, target = learner.augment(batch, drawn()).views
    assert torch.equal(batch.values, before)
    assert torch.equal(target.values, before)
    is_other = (shown.values != before).flatten(1).any(dim=1)
    assert is_other.float().mean() > 0.5


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", RESTORING)
def test_nothing_counts_outside_the_mask_nor_where_nothing_was_hidden(name, dims):
    learner, batch = built(name, dims)
    shown, target = learner.augment(batch, drawn()).views
    assert not (target.masks & ~batch.masks).any()
    assert target.masks.any()
    if name in CHANGED_ONLY:
        assert torch.equal(shown.values[~target.masks], target.values[~target.masks])
    else:
        assert torch.equal(target.masks, batch.masks)
    other = View(torch.where(target.masks, target.values, target.values + 7), target.masks)
    losses = [learner.loss(batch.shown_as([shown, one]), drawn()).total for one in (target, other)]
    assert torch.equal(losses[0], losses[1])


def test_what_is_hidden_cannot_be_seen():
    learner, batch = built("masked_autoencoder", 2)
    shown, target = learner.augment(batch, drawn()).views
    hidden = target.masks
    changed = Batch(torch.where(hidden, batch.values * 3, batch.values), batch.masks, batch.scans)
    again, _ = learner.augment(changed, drawn()).views
    assert torch.equal(again.values, shown.values)
    assert not shown.values[hidden].any()
    share = hidden.flatten(1).sum(1) / batch.masks.flatten(1).sum(1)
    assert 0.4 < share.mean() < 0.95


def test_a_transformer_is_shown_whole_tokens_or_none():
    vit = {"sides": 16, "patch": 4, "width": 12, "layers": 1, "heads": 2}
    learner, batch = built("masked_autoencoder", 2, encoder="vit", encoder_parameters=vit)
    full = Batch(torch.ones_like(batch.values), torch.ones_like(batch.masks), batch.scans)
    shown, _ = learner.augment(full, drawn()).views
    tokens = torch.nn.functional.avg_pool2d(shown.values, 4)
    assert set(tokens.unique().tolist()) == {0.0, 1.0}
    assert learner.loss(learner.augment(batch, drawn()), drawn()).total > 0


@pytest.mark.parametrize("name", RESTORING)
def test_new_images_are_restored_better_than_by_any_mean(name):
    small = {"channels": 8, "levels": 2}
    chosen = {"epochs": 15, "batch_size": 16, "learning_rate": 5e-3, "encoder_parameters": small}
    method = make(name, 2, **chosen, **EASIER.get(name, {})).fit(ramps(96, seed=0))
    learner = method.learner_.eval()
    with torch.no_grad():
        loss = learner.loss(learner.augment(all_of(method, ramps(40, seed=11)), drawn()), drawn())
    assert loss.total < 0.5 * min(loss.terms["mean"], loss.terms["others"])
    assert method.trained_.verdict == ""


def test_the_log_says_what_needs_no_learning():
    learner, batch = built("denoising", 2)
    shown, target = learner.augment(batch, drawn()).views
    terms = learner.loss(batch.shown_as([shown, target]), drawn()).terms
    inside = target.masks.numpy()
    difference = (shown.values - target.values).numpy()
    values = target.values.numpy()
    per_item = [(difference[n][inside[n]] ** 2).mean() for n in range(len(inside))]
    assert float(terms["untouched"]) == pytest.approx(np.mean(per_item), rel=1e-5)
    spread = [values[n][inside[n]].var() for n in range(len(inside))]
    assert float(terms["mean"]) == pytest.approx(np.mean(spread), rel=1e-4)
    pair, whole = values[:2], np.ones((2, *inside.shape[1:]), bool)
    views = [View(torch.from_numpy(pair), torch.from_numpy(whole))] * 2
    terms = learner.loss(batch.shown_as(views), drawn()).terms
    assert float(terms["others"]) == pytest.approx(((pair[0] - pair[1]) ** 2).mean(), rel=1e-4)


def test_an_item_alone_has_its_own_mean_for_that_of_others():
    learner, batch = built("denoising", 3)
    (alone, *_) = batch.split(1)
    terms = learner.loss(learner.augment(alone, drawn()), drawn()).terms
    assert torch.allclose(terms["others"], terms["mean"])


@pytest.mark.parametrize(
    ("epoch", "loss", "said"),
    [(30, 0.5, True), (30, 0.6, True), (30, 0.4, False), (4, 0.6, False)],
)
def test_a_loss_no_lower_than_without_learning_is_told(epoch, loss, said):
    config = make("denoising", 2, epochs=40).config
    row = {"epoch": epoch, "restoration": loss, "mean": 0.5}
    words = no_better(row, "restoration", {"mean": "the mean"}, config)
    assert bool(words) is said
    if said:
        assert f"({loss:.4g}) is no lower than that of the mean (0.5)" in words
