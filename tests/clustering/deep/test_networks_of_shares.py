"""What the methods with networks that share out rows and images take, find and tell."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from medunsup.clustering import GAN, CatGAN, DacAdaptive, DacAdversarial, InfoGAN, Scan, Temi, Turtle
from medunsup.clustering.deep.dac_adaptive_learning import thresholds
from medunsup.clustering.deep.turtle_learning import descend, longest_step, soft_cross_entropy
from medunsup.core.errors import ArrayError

ON_IMAGES = [CatGAN, DacAdaptive, DacAdversarial, GAN, InfoGAN]
MAKERS = [CatGAN, GAN, InfoGAN]
SHORT = {"epochs": 1, "width": 8}
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("cls", [Scan, Temi, Turtle])
def test_methods_on_features_refuse_images_and_say_what_to_do(cls):
    with pytest.raises(ArrayError, match="medunsup embed"):
        cls().fit(np.zeros((5, 8, 8)))


def test_the_seed_alone_decides_whatever_was_drawn_before_and_encoders_draw_themselves():
    images, shares = RNG.normal(size=(10, 16, 16)), []
    small = {"sides": 16, "patch": 8, "width": 12, "layers": 1, "heads": 1}
    for before in (0, 1):
        torch.manual_seed(before)
        drawn = torch.get_rng_state()
        fitted = DacAdaptive(n_clusters=2, encoder="vit", encoder_parameters=small, **SHORT).fit(images)
        assert torch.equal(torch.get_rng_state(), drawn)
        shares.append(fitted.predict_proba(images))
    np.testing.assert_array_equal(*shares)


@pytest.mark.parametrize("cls", ON_IMAGES)
@pytest.mark.parametrize("sides", [(9, 7), (2, 8, 8), (1, 8, 8, 6), (1, 8, 8, 1)])
def test_images_and_volumes_are_taken_as_they_are(cls, sides):
    images = RNG.normal(size=(10, *sides))
    fitted = cls(n_clusters=2, **SHORT).fit(images)
    shares = fitted.predict_proba(images[:3])
    assert shares.shape == (3, fitted.n_clusters_)
    assert fitted.transform(images).shape == (10, 8)
    np.testing.assert_array_equal(fitted.predict(images), fitted.labels_)
    alone = fitted.transform(images[:1])
    np.testing.assert_allclose(alone, fitted.transform(images)[:1], atol=1e-10)
    with pytest.raises(ArrayError, match="resample"):
        fitted.predict(np.zeros((2, 16, 16)))


@pytest.mark.parametrize("cls", ON_IMAGES)
def test_a_model_of_images_opens_again(cls):
    images = RNG.normal(size=(10, 8, 8))
    fitted = cls(n_clusters=2, **SHORT).fit(images)
    opened = cls(n_clusters=2, **SHORT).load_state(fitted.state())
    np.testing.assert_array_equal(opened.predict_proba(images), fitted.predict_proba(images))


@pytest.mark.parametrize("cls", MAKERS)
def test_made_items_have_the_form_and_units_of_those_fitted(cls):
    images = 300 + 20 * RNG.normal(size=(40, 9, 7))
    fitted = cls(n_clusters=2, **SHORT).fit(images)
    made = fitted.sample(5, seed=3)
    assert made.shape == (5, 9, 7)
    assert 200 < made.mean() < 400
    np.testing.assert_array_equal(made, fitted.sample(5, seed=3))
    assert not np.array_equal(made, fitted.sample(5, seed=4))
    rows = np.column_stack([RNG.normal(size=(40, 3)), np.full(40, 7.0)])
    made = cls(n_clusters=2, **SHORT).fit(rows).sample(5)
    assert made.shape == (5, 4)
    assert (made[:, 3] == 7).all()


def test_a_traversal_moves_one_code_and_nothing_else():
    fitted = InfoGAN(n_clusters=2, codes=2, **SHORT).fit(RNG.normal(size=(40, 8, 8)))
    items = fitted.traverse(1, steps=5)
    assert items.shape == (5, 8, 8)
    assert len(np.unique(items[:, 0, 0])) == 5
    np.testing.assert_array_equal(items[2], fitted.traverse(0, steps=5)[2])  # both codes are 0 there
    with pytest.raises(ArrayError, match="2 codes"):
        fitted.traverse(2)


def test_a_gan_that_learned_makes_items_more_like_the_real_ones():
    rows = RNG.normal(size=(300, 4)) @ RNG.normal(size=(4, 6)) + 5
    short = GAN(epochs=1, learning_rate=1e-6).fit(rows)
    learned = GAN(epochs=30).fit(rows)
    assert 0 <= learned.frechet_halves_ < learned.frechet_ < short.frechet_


def test_mode_collapse_is_told():
    fitted = CatGAN(**SHORT).fit(RNG.normal(size=(40, 3)))
    for weights in fitted._net.maker.parameters():
        torch.nn.init.zeros_(weights)
    fitted._remarks = []
    fitted._tell_collapse(fitted.labels_, 2)
    assert "Mode collapse" in fitted._remarks[-1]


def test_collapse_is_told_with_the_knob_to_turn():
    rows = np.random.default_rng(0).normal(size=(60, 3))
    fitted = Scan(n_clusters=4, balance=0, neighbours=5).fit(rows)
    assert fitted.n_clusters_ < 4
    assert "Raise balance" in fitted.remarks_[-1]


def test_clusters_are_in_use_alike_on_rows_without_any():
    rows = np.random.default_rng(0).normal(size=(90, 3))
    for method in (Turtle(n_clusters=3, iterations=100), Scan(n_clusters=3)):
        assert np.bincount(method.fit(rows).labels_, minlength=3).min() > 15


def test_thresholds_of_adaptive_pairs_start_wide_and_meet():
    assert thresholds(0) == (0.95, 0.455)
    assert thresholds(1) == pytest.approx((0.5, 0.5))


def test_turtles_classifier_goes_to_the_least_cross_entropy():
    rows = torch.from_numpy(np.column_stack([RNG.normal(size=(200, 2)), np.ones(200)]))
    labels = (rows[:, 0] + torch.from_numpy(RNG.normal(size=200)) > 0).long()
    target = torch.nn.functional.one_hot(labels, 2).double()
    found = descend(torch.zeros(3, 2).double(), rows, target, longest_step(rows), 2000)
    best = LogisticRegression(C=np.inf, tol=1e-8).fit(rows[:, :2].numpy(), labels.numpy())
    shares = torch.from_numpy(best.predict_log_proba(rows[:, :2].numpy()))
    loss = soft_cross_entropy(torch.log_softmax(rows @ found, 1), target)
    assert loss.item() == pytest.approx(soft_cross_entropy(shares, target).item(), abs=1e-6)
