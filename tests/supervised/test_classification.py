"""Fine-tuning for classification: what each network learns from, may change, and says of scans."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains

from medunsup.core.errors import InputError, UsageError
from medunsup.nn import make_encoder
from medunsup.nn.classifier import ClassificationNetwork
from medunsup.supervised.arms import ARMS
from medunsup.supervised.classification import Classification, ClassificationConfig
from medunsup.training import Training
from medunsup.training.learner import Batch
from medunsup.training.scan_stack import Scans

CPU = Training(accelerator="cpu")
SMALL = {
    "cnn": {"channels": 4, "levels": 2},
    "segresnet": {"channels": 8},
    "swin": {"width": 12, "blocks": 1, "window": 2},
    "vit": {"sides": 32, "width": 24, "heads": 3, "layers": 1},
}


def labelled(n: int = 6, shape=(16, 16, 8), seed: int = 0) -> Scans:
    """Scans of class 0 or 1 in turn; those of class 1 are brighter in the middle of each slice."""
    scans = small_brains(n, shape, seed=seed)
    values, labels = np.array(scans.values), np.arange(n) % 2
    values[labels == 1, :, 4:12, 4:12] += 1
    return Scans(values * scans.masks[:, None], scans.masks, scans.names, labels=labels)


def pretrained(name: str = "cnn", dims: int = 2):
    torch.manual_seed(5)
    return make_encoder(name, SMALL[name], dims=dims, channels=1)


def made(encoder=None, *, arms=ARMS, classes=2, **parameters) -> Classification:
    config = ClassificationConfig.parse({"steps": 8, "batch_size": 8, **parameters})
    return Classification(config, encoder or pretrained(), classes=classes, arms=arms)


def fitted(scans: Scans, encoder=None, **parameters) -> Classification:
    return made(encoder, **parameters).with_steps(scans).fit(scans, training=CPU)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(SMALL))
def test_every_encoder_gives_an_image_of_any_sides_a_score_for_each_class(name, dims):
    sides = {"vit": (32,) * dims, "swin": (64,) * dims}.get(name, (23, 20, 18)[:dims])
    network = ClassificationNetwork(pretrained(name, dims), 5)
    assert network(torch.rand(2, 1, *sides)).shape == (2, 5)


def test_scores_are_a_linear_map_of_the_features_inside_the_mask():
    network = ClassificationNetwork(pretrained(), 3).eval()
    x, masks = torch.rand(2, 1, 16, 16), torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    masks[:, :, :8] = True
    with torch.no_grad():
        upper = 8 // network.encoder.strides[-1]
        rows = network.encoder(x)[-1][:, :, :upper].mean(dim=(2, 3)).numpy()
        weight, bias = (one.numpy() for one in (network.head.weight, network.head.bias))
        np.testing.assert_allclose(network(x, masks).numpy(), rows @ weight.T + bias, atol=1e-5)


def test_no_gradient_reaches_a_frozen_encoder():
    network = ClassificationNetwork(pretrained(), 2)
    network(torch.rand(2, 1, 16, 16), frozen=True).sum().backward()
    assert all(one.grad is None for one in network.encoder.parameters())
    assert all(one.grad is not None for one in network.head.parameters())


def test_networks_start_alike_and_differ_in_their_encoders_alone():
    encoder = pretrained()
    learner = made(encoder).build((1, 16, 16))
    for name, value in encoder.state_dict().items():
        assert torch.equal(learner.network("finetuned").encoder.state_dict()[name], value)
        assert torch.equal(learner.network("frozen").encoder.state_dict()[name], value)
    scratch = learner.network("scratch").encoder.state_dict()
    assert any(not torch.equal(scratch[name], value) for name, value in encoder.state_dict().items())
    heads = [learner.network(arm).head.state_dict() for arm in ARMS]
    assert all(torch.equal(heads[0][name], other[name]) for other in heads[1:] for name in other)


def test_features_of_a_frozen_encoder_stay_and_the_two_others_learn():
    encoder, scans = pretrained(), labelled()
    done = fitted(scans, encoder)
    x = torch.from_numpy(np.ascontiguousarray(scans.values[..., 4]))
    with torch.no_grad():
        before = encoder.eval().features(x)
        change = {
            arm: float((done.learner_.network(arm).eval().encoder.features(x) - before).abs().max())
            for arm in ARMS
        }
    assert change["frozen"] < 1e-6
    assert min(change["finetuned"], change["scratch"]) > 1e-3


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_pretrained_encoder_learns_at_a_share_of_the_rate(share):
    """AdamW's first step has the length of its rate, whatever the gradient."""
    scans = labelled(2, (16, 16, 4))
    one = made(arms=("finetuned",), steps=1, encoder_share=share, warmup=0.0, weight_decay=0.0)
    torch.manual_seed(one.config.seed)
    start = one.build((1, 16, 16)).network("finetuned").state_dict()
    assert len(one.dataset(scans)) <= 8  # all slices are one batch, the epoch one step
    done = one.fit(scans, training=CPU)
    now = done.learner_.network("finetuned").state_dict()
    for part, rate in (("head.", 1.0), ("encoder.", share)):
        change = max(float((now[name] - start[name]).abs().max()) for name in now if name.startswith(part))
        assert change == pytest.approx(rate * one.config.learning_rate, rel=0.02)


def test_every_slice_of_a_scan_carries_the_scans_label():
    scans = labelled(5)
    for sizes in ({}, {"patch": (8, 8), "patches_per_scan": 3}):
        dataset = made(**sizes).dataset(scans)
        batch = dataset.batch(dataset.order(0, 0))
        assert torch.equal(batch.labels, batch.scans % 2)
        assert torch.equal(torch.cat([part.labels for part in batch.split(4)]), batch.labels)


def test_scans_taken_keep_their_labels():
    scans = labelled(5)
    assert scans.take([4, 1, 3]).labels.tolist() == [0, 1, 1]


def test_the_same_scans_with_other_labels_are_other_data():
    scans = labelled(4)
    other = Scans(scans.values, scans.masks, scans.names, labels=1 - scans.labels)
    assert made().dataset(scans).digest() != made().dataset(other).digest()


@pytest.mark.parametrize("labels", [np.array([0, 1]), np.array([0.0, 1, 1]), np.array([0, -2, 1])])
def test_labels_that_are_no_classes_of_the_scans_are_refused(labels):
    scans = labelled(3)
    with pytest.raises(InputError, match="whole numbers"):
        Scans(scans.values, scans.masks, labels=labels)


@pytest.mark.parametrize("labels", [None, np.array([0, 1, 2])])
def test_scans_without_labels_or_of_more_classes_cannot_be_learned_from(labels):
    scans = labelled(3)
    with pytest.raises(InputError, match="class of each scan, 0 to 1"):
        fitted(Scans(scans.values, scans.masks, labels=labels))


def test_an_item_of_unknown_class_adds_nothing_to_the_loss():
    learner = made(arms=("scratch",)).build((1, 16, 16))
    x, masks = torch.rand(4, 1, 16, 16), torch.ones(4, 1, 16, 16, dtype=torch.bool)
    labels = torch.tensor([0, -1, 1, -1])
    whole = Batch(x, masks, torch.arange(4), labels=labels)
    known = Batch(x[::2], masks[::2], torch.arange(2), labels=labels[::2])
    nothing = Batch(x[1::2], masks[1::2], torch.arange(2), labels=labels[1::2])
    losses = [float(learner.loss_of("scratch", batch).total.detach()) for batch in (whole, known, nothing)]
    assert losses[0] == pytest.approx(losses[1])
    assert losses[2] == 0


@pytest.mark.parametrize("dims", [2, 3])
def test_probabilities_of_a_scan_do_not_depend_on_what_stands_beside_it(dims):
    scans = labelled(6)
    done = fitted(scans, pretrained(dims=dims))
    together = done.probabilities("finetuned", scans)
    np.testing.assert_allclose(together.sum(axis=1), 1)
    alone = np.concatenate([done.probabilities("finetuned", scans.take([n])) for n in range(6)])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_a_volume_has_the_mean_of_the_log_probabilities_of_its_slices():
    scans = labelled(2)
    done = fitted(scans)
    network = done.learner_.network("scratch").eval()
    wide = np.flatnonzero(np.count_nonzero(scans.masks[0], axis=(0, 1)) >= 0.02 * 16 * 16)
    logs = []
    for level in wide:
        x, mask = (torch.from_numpy(np.array(one[0][..., level])) for one in (scans.values, scans.masks))
        with torch.no_grad():
            logs.append(network(x[None], mask[None, None])[0].log_softmax(dim=0).numpy())
    shares = np.exp(np.mean(logs, axis=0))
    np.testing.assert_allclose(done.probabilities("scratch", scans)[0], shares / shares.sum(), atol=1e-5)


def test_a_scan_with_an_empty_mask_is_looked_at_whole():
    scans = labelled(2)
    done = fitted(scans)
    empty = Scans(scans.values, np.zeros_like(scans.masks))
    shares = done.probabilities("frozen", empty)
    np.testing.assert_allclose(shares, done.probabilities("frozen", Scans(empty.values, ~empty.masks)))


def test_an_encoder_of_one_size_learns_from_patches_and_is_asked_about_whole_scans():
    scans = labelled(4, (48, 40, 4))
    done = fitted(scans, pretrained("vit"), steps=1)
    dataset = done.dataset(scans)
    assert dataset.batch(dataset.order(0, 0)[:2]).values.shape == (2, 1, 32, 32)
    assert done.probabilities("finetuned", scans).shape == (4, 2)


def test_an_unknown_parameter_is_named():
    with pytest.raises(UsageError, match="did you mean 'steps'"):
        ClassificationConfig.parse({"step": 3})


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_what_tells_classes_apart_is_learned_and_found_in_other_scans(dims):
    scans, other = labelled(12), labelled(8, seed=3)
    sizes = {"steps": 150, "batch_size": 8 if dims == 2 else 2, "learning_rate": 0.01}
    done = fitted(scans, pretrained(dims=dims), augment=False, **sizes)
    for arm in ARMS:
        shares = done.probabilities(arm, other)
        assert (shares.argmax(axis=1) == other.labels).mean() == 1
