"""Long fits tell epoch and loss while they go on; items are looked at in batches; figures have own seeds."""

import numpy as np
import pytest
import torch

import medunsup
from medunsup.clustering import DEC, GAN, DbnNmmc, Scan, Temi, Turtle, VaDE
from medunsup.clustering.deep.unlikeness import frechet_figures
from medunsup.core.passes import Passes
from medunsup.core.progress import Stage
from medunsup.core.watching import passed, watched
from medunsup.reduction import Autoencoder

RNG = np.random.default_rng(0)
ROWS = np.concatenate([RNG.normal(size=(20, 5)), RNG.normal(size=(20, 5)) + 4])


@pytest.mark.parametrize(
    "method",
    [
        DEC(pretrain_epochs=3, epochs=2, tolerance=0.0, width=8, code=2),
        VaDE(pretrain_epochs=3, epochs=2, width=8, code=2),
        GAN(epochs=4, width=8),
        Scan(heads=2, epochs=3, label_epochs=2),
        Turtle(iterations=5),
        Temi(iterations=5),
        DbnNmmc(epochs=2),
    ],
    ids=lambda method: method.method_name,
)
def test_every_pass_is_told_with_its_loss(method):
    told = []
    with watched(told.append):
        method.fit(ROWS)
    np.testing.assert_allclose(told, method.loss_curve_)
    assert len(told) > 3
    method.fit(ROWS)
    assert len(told) == len(method.loss_curve_)  # no one watches any more


def test_passes_of_all_heads_are_counted():
    told: list[Stage] = []
    method = Scan(heads=2, epochs=3, label_epochs=2)
    passes = Passes(Stage("scan", 0.0), 1, method.get_params(), told.append)
    with watched(passes):
        method.fit(ROWS)
    assert passes.n == passes.total == 8


def test_the_autoencoder_of_maps_tells_each_epoch_and_its_loss_falls():
    told = []
    with watched(told.append):
        Autoencoder(width=8, epochs=12, batch_size=16).fit(ROWS)
    assert len(told) == 12
    assert told[-1] < 0.9 * told[0]


def test_a_map_is_told_stage_by_stage(monkeypatch):
    monkeypatch.setattr("medunsup.core.passes.EVERY_S", 0.0)
    told: list[Stage] = []
    table = medunsup.FeatureTable(ROWS, list("abcde"))
    medunsup.reduce(table, method="autoencoder", parameters={"width": 8, "epochs": 3}, progress=told.append)
    assert [one.what for one in told if not one.detail] == ["reading", "placing rows by autoencoder"]
    assert [one.detail.split(",")[0] for one in told[2:]] == [f"epoch {n} of 3" for n in (1, 2, 3)]
    np.testing.assert_allclose([one.share for one in told[2:]], [1 / 3, 2 / 3, 1])


def test_a_pass_that_no_one_watches_is_nothing():
    passed(1.0)


def test_epoch_and_loss_are_shown_and_the_share_grows(monkeypatch):
    monkeypatch.setattr("medunsup.core.passes.EVERY_S", 0.0)
    told: list[Stage] = []
    passes = Passes(Stage("vade, seed 2 of 4", 0.25), 4, {"pretrain_epochs": 3, "epochs": 1}, told.append)
    for loss in (3.0, 2.0, 1.0, 0.5, 0.25):
        passes(loss)
    assert [one.detail for one in told] == [
        "epoch 1 of 4, loss 3",
        "epoch 2 of 4, loss 2",
        "epoch 3 of 4, loss 1",
        "epoch 4 of 4, loss 0.5",
        "epoch 5, loss 0.25",
    ]
    assert {one.what for one in told} == {"vade, seed 2 of 4"}
    np.testing.assert_allclose([one.share for one in told[:4]], [0.3125, 0.375, 0.4375, 0.5])


def test_a_line_is_not_written_over_a_thousand_times():
    told: list[Stage] = []
    passes = Passes(Stage("turtle, seed 1 of 1"), 1, {"iterations": 1000}, told.append)
    for _ in range(1000):
        passes(1.0)
    assert 1 <= len(told) < 100
    assert told[-1].detail.startswith("step 1000 of 1000")


def test_images_are_predicted_in_batches_and_give_the_same(monkeypatch):
    images = RNG.normal(size=(23, 8, 8))
    small = {"channels": 2, "levels": 2}
    method = DEC(pretrain_epochs=1, epochs=1, width=8, code=2, encoder_parameters=small).fit(images)
    whole, codes = method.predict_proba(images), method.transform(images)
    seen = []
    forward = type(method._net).forward
    monkeypatch.setattr("medunsup.clustering.deep.share_network.VALUES_AT_ONCE", 5 * 64)
    monkeypatch.setattr(type(method._net), "forward", lambda self, x: seen.append(len(x)) or forward(self, x))
    np.testing.assert_allclose(method.predict_proba(images), whole, atol=1e-12)
    assert seen == [5, 5, 5, 5, 3]
    np.testing.assert_allclose(method.transform(images), codes, atol=1e-12)


def test_the_distance_to_made_items_has_weights_of_its_own_whatever_the_encoder():
    small = {"sides": 8, "patch": 4, "width": 12, "layers": 1, "heads": 1}
    real, made = torch.randn(12, 64), torch.randn(12, 64) + 1
    found = []
    for before in (0, 1):
        torch.manual_seed(before)
        drawn = torch.get_rng_state()
        found.append(frechet_figures(real, made, (1, 8, 8), "vit", small))
        assert torch.equal(torch.get_rng_state(), drawn)
    assert found[0] == found[1]
