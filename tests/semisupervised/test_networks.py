"""Facts of single methods around an encoder."""

from typing import Any

import numpy as np
import pytest
import torch
from helpers.few_labels import NETWORKS, around_an_encoder, labelled_brains, labelled_images

from medunsup.semisupervised.watching import name_failure
from medunsup.training.learner import Batch, StepProgress
from medunsup.training.loop import Training

HERE = Training(accelerator="cpu")


def learner_of(name: str, **parameters):
    return around_an_encoder(name, **parameters)._build((1, 16, 16, 1))


def batch_of(n: int = 6) -> Batch:
    scans = labelled_images(n)
    values = torch.from_numpy(scans.values[..., 0])
    masks = torch.ones(n, 1, 16, 16, dtype=torch.bool)
    return Batch(values, masks, torch.arange(n), labels=torch.from_numpy(scans.labels))


def differing(one, other) -> list[str]:
    return [key for key in one if not np.array_equal(one[key], other[key])]


@pytest.mark.parametrize("task", ["classify", "segment"])
def test_fixmatch_that_believes_nothing_is_supervised_learning_to_the_last_bit(task):
    scans = labelled_images() if task == "classify" else labelled_brains()
    fitted = around_an_encoder("fixmatch", task, threshold=1.0).fit(scans, training=HERE)
    one, two = (fitted.state(f"arms.{arm}") for arm in ("semisupervised", "supervised"))
    assert differing(one, two) == []
    assert "No pseudo-label is sure enough" in fitted.trained_.verdict


def test_fixmatch_without_augmentation_is_pseudo_label():
    scans = labelled_images()
    one, other = (
        around_an_encoder(name, augment=False, threshold=0.5).fit(scans, training=HERE).state("arms")
        for name in ("fixmatch", "pseudo_label")
    )
    assert differing(one, other) == []


@pytest.mark.parametrize("momentum", [0.5, 0.99])
def test_the_mean_teacher_is_the_moving_average_of_the_weights(momentum):
    """Against NumPy: first the plain mean of all steps, then an exponential one, of a tenth at most."""
    learner = learner_of("mean_teacher", momentum=momentum)
    rng = np.random.default_rng(0)
    student = learner.arms["semisupervised"]
    wanted = {name: value.detach().numpy().copy() for name, value in student.named_parameters()}
    for step in range(1, 31):
        with torch.no_grad():
            for parameter in student.parameters():
                parameter.add_(torch.from_numpy(rng.normal(size=parameter.shape)).float())
        learner.after_step(StepProgress(step, 100, 1, 1))
        keep = min(momentum, 1 - 1 / step, 0.9)
        for name, value in student.named_parameters():
            wanted[name] = keep * wanted[name] + (1 - keep) * value.detach().numpy()
    for name, value in learner.teacher.named_parameters():
        np.testing.assert_allclose(value.numpy(), wanted[name], rtol=1e-4, atol=1e-5)
        assert not value.requires_grad


def test_the_weight_of_unlabelled_items_rises_to_its_full_value_and_stays():
    learner = learner_of("fixmatch", unlabelled_weight=3.0, ramp=0.5)
    weights = []
    for step in range(1, 11):
        learner.after_step(StepProgress(step, 10, 1, 1))
        weights.append(learner.weight())
    np.testing.assert_allclose(weights[0], 3 * np.exp(-5 * 0.8**2), rtol=1e-5)
    assert (np.diff(weights[:5]) > 0).all()
    np.testing.assert_allclose(weights[4:], 3.0)


def test_a_guess_of_mixmatch_is_the_sharpened_mean_over_views():
    learner = learner_of("mixmatch", n_views=3, temperature=0.5).train()
    batch = learner.augment(batch_of(), torch.Generator().manual_seed(0))
    assert len(batch.views) == 3
    network = learner.arms["semisupervised"]
    with torch.no_grad():
        said = np.mean([network(v.values, v.masks).softmax(dim=1).numpy() for v in batch.views], axis=0)
    np.testing.assert_allclose(
        learner.guess(batch), said**2 / (said**2).sum(axis=1, keepdims=True), rtol=1e-4
    )


def test_networks_of_co_training_start_apart_and_answer_with_their_mean():
    learner, batch = learner_of("co_training"), batch_of()
    first, second = learner.arms["semisupervised"], learner.second
    assert not torch.equal(first.head.weight, second.head.weight)
    with torch.no_grad():
        mean = sum(one(batch.values, batch.masks).softmax(dim=1) for one in (first, second)) / 2
        found = learner.network("semisupervised")(batch.values, batch.masks).softmax(dim=1)
    torch.testing.assert_close(found, mean)


def test_strong_views_of_voxels_keep_their_places():
    """Where an image is its own class map, the strong view's classes are those of the weak one."""
    scans = labelled_brains(2, known=1)
    method = around_an_encoder("fixmatch", "segment")
    learner = method._build(scans.shape).train()
    dataset = method.dataset(scans)
    batch = learner.augment(dataset.batch(np.arange(8)), torch.Generator().manual_seed(0))
    weak, strong = batch.views
    assert torch.equal(weak.values[:, -1], strong.values[:, -1])
    assert torch.equal(weak.masks, strong.masks)
    assert not torch.equal(weak.values[:, 0], strong.values[:, 0])
    known = (weak.values[:, -1] >= 0).flatten(1).all(dim=1)
    assert torch.equal(known, batch.scans == 0)
    dark, bright = (weak.values[known, 0][weak.values[known, -1] == one].mean() for one in (1, 2))
    assert dark < bright


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ({"pseudo_commonest": 1.0, "coverage": 0.9}, "All pseudo-labels are of one class since epoch 3"),
        (
            {"pseudo_commonest": 0.6, "coverage": 0.0},
            "No pseudo-label is sure enough to be used since epoch 3",
        ),
        ({"pseudo_commonest": 0.6, "coverage": 0.9}, ""),
    ],
)
def test_what_goes_wrong_with_pseudo_labels_is_named(late, said):
    early = {"epoch": 0, "pseudo_commonest": 1.0, "coverage": None}
    history = [early, *({"epoch": n, **late} for n in range(1, 11))]
    found = name_failure(history, epochs=10)
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_pseudo_labels_that_get_worse_are_named_with_both_figures():
    history = [
        {"epoch": n, "pseudo_commonest": 0.5, "coverage": 0.5, "pseudo_accuracy": accuracy}
        for n, accuracy in enumerate([0.5, 0.7, 0.9, 0.9, 0.7])
    ]
    assert "70% are right, 90% were" in name_failure(history, epochs=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_easy_classes_are_learned_from_two_labels_each(name):
    scans, other = labelled_images(64, each=2), labelled_images(64, each=32, seed=5)
    more: dict[str, Any] = {"threshold": 0.8} if name in ("fixmatch", "co_training") else {}
    more["strong"] = {"crop": 0.5, "crop_least": 0.8, "noise": 0.5, "intensity": 0.8}  # a box hides the spot
    fitted = around_an_encoder(name, steps=200, learning_rate=0.01, **more).fit(scans, training=HERE)
    assert (fitted.probabilities(other).argmax(axis=1) == other.labels).mean() > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fixmatch", "mean_teacher"])
def test_unlabelled_images_help_where_one_thing_tells_the_classes_apart(name):
    """Two labels each, five seeds: every image right, beside about 0.88 from the same labels alone."""
    other, gains, right = labelled_images(128, each=64, seed=100), [], []
    more: dict[str, Any] = {"strong": {"crop": 0.5, "crop_least": 0.8, "noise": 0.5, "intensity": 0.8}}
    more |= {"threshold": 0.8} if name == "fixmatch" else {}
    for seed in range(5):
        method = around_an_encoder(name, steps=150, batch_size=16, learning_rate=0.01, seed=seed, **more)
        fitted = method.fit(labelled_images(128, each=2, seed=seed), training=HERE)
        own, alone = (
            float((fitted.probabilities(other, arm=arm).argmax(axis=1) == other.labels).mean())
            for arm in ("semisupervised", "supervised")
        )
        gains.append(own - alone)
        right.append(own)
    assert np.mean(right) > 0.95
    assert np.mean(gains) > 0.03
    assert min(gains) > -0.02
