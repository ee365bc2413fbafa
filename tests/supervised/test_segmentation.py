"""Fine-tuning for segmentation: what each network learns from, starts with, and may change."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains

from medunsup.core.errors import InputError, UsageError
from medunsup.nn import make_encoder
from medunsup.nn.segmenter import SegmentationNetwork
from medunsup.supervised.segmentation import ARMS, Segmentation, SegmentationConfig
from medunsup.training import Training
from medunsup.training.learner import Batch
from medunsup.training.scan_stack import Scans

CLASSES = 3
SMALL = {
    "cnn": {"channels": 4, "levels": 2},
    "segresnet": {"channels": 8},
    "swin": {"width": 12, "blocks": 1, "window": 2},
    "unet": {"channels": 8},
    "vit": {"sides": 32, "width": 24, "heads": 3, "layers": 1},
}


def labelled(n: int = 3, shape=(16, 16, 8), seed: int = 0) -> Scans:
    """Scans whose class is told by their intensity: 1 dark, 2 bright, 0 outside."""
    scans = small_brains(n, shape, seed=seed)
    classes = np.where(scans.values > 0.55, 2, 1) * scans.masks[:, None]
    values = (0.4 * classes + 0.1 * scans.values).astype(np.float32)
    return Scans(np.concatenate([values, classes.astype(np.float32)], axis=1), scans.masks, scans.names)


def pretrained(name: str = "cnn", dims: int = 2):
    torch.manual_seed(5)
    return make_encoder(name, SMALL[name], dims=dims, channels=1)


def made(encoder=None, *, arms=ARMS, **parameters) -> Segmentation:
    config = SegmentationConfig.parse({"steps": 8, "batch_size": 8, **parameters})
    return Segmentation(config, encoder or pretrained(), classes=CLASSES, arms=arms)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(SMALL))
def test_every_encoder_gives_each_voxel_a_score_for_each_class(name, dims):
    if (name, dims) == ("vit", 3):
        sides = (32, 32, 32)
    else:
        sides = {"vit": (32, 32), "swin": (64,) * dims}.get(name, (24, 20, 36)[:dims])
    network = SegmentationNetwork(pretrained(name, dims), CLASSES)
    assert network(torch.rand(1, 1, *sides)).shape == (1, CLASSES, *sides)


def arrays(network):
    return {name: value.numpy() for name, value in network.state_dict().items()}


def test_a_pretrained_decoder_starts_all_networks_but_that_from_scratch():
    scans, donor = labelled(), SegmentationNetwork(pretrained(), 7).decoder
    method = Segmentation(SegmentationConfig(), pretrained(), classes=CLASSES, decoder=arrays(donor))
    networks = method._build((1, *scans.shape[1:])).arms
    for name, theirs in donor.state_dict().items():
        starts = {arm: network.decoder.state_dict()[name] for arm, network in networks.items()}
        if name.startswith("last."):
            assert all(torch.equal(one, starts["scratch"]) for one in starts.values())
        else:
            assert torch.equal(starts["finetuned"], theirs)
            assert torch.equal(starts["frozen"], theirs)
            assert not torch.equal(starts["scratch"], theirs) or theirs.unique().numel() == 1


def test_a_decoder_of_another_network_is_refused():
    donor = SegmentationNetwork(pretrained("unet"), CLASSES).decoder
    method = Segmentation(SegmentationConfig(), pretrained(), classes=CLASSES, decoder=arrays(donor))
    with pytest.raises(InputError, match="decoder does not fit"):
        method._build((1, 16, 16))


def test_sides_that_the_encoder_does_not_take_are_padded_at_the_far_end():
    network = SegmentationNetwork(pretrained("unet"), CLASSES).eval()
    x = torch.rand(1, 1, 24, 20)
    padded = torch.nn.functional.pad(x, (0, 12, 0, 8))
    with torch.no_grad():
        assert torch.equal(network(x), network(padded)[..., :24, :20])


def test_networks_start_alike_and_differ_in_their_encoders_alone():
    encoder = pretrained()
    networks = {arm: made(encoder).build((2, 16, 16)).network(arm) for arm in ARMS}
    states = {arm: network.encoder.state_dict() for arm, network in networks.items()}
    for name, value in encoder.state_dict().items():
        assert torch.equal(states["finetuned"][name], value)
        assert torch.equal(states["frozen"][name], value)
    assert any(
        not torch.equal(states["scratch"][name], value) for name, value in encoder.state_dict().items()
    )
    learner = made(encoder).build((2, 16, 16))
    decoders = [learner.network(arm).decoder.state_dict() for arm in ARMS]
    assert all(torch.equal(decoders[0][name], other[name]) for other in decoders[1:] for name in other)


def test_a_frozen_encoder_stays_and_the_two_others_learn():
    encoder, scans = pretrained(), labelled()
    fitted = made(encoder).with_steps(scans).fit(scans, training=Training(accelerator="cpu"))
    before = encoder.state_dict()
    moved = {
        arm: any(
            not torch.equal(value, before[name])
            for name, value in fitted.learner_.network(arm).encoder.state_dict().items()
        )
        for arm in ARMS
    }
    assert moved == {"finetuned": True, "frozen": False, "scratch": True}


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_pretrained_encoder_learns_at_a_share_of_the_rate(share):
    """AdamW's first step has the length of its rate, whatever the gradient."""
    encoder, scans = pretrained(), labelled()
    one = made(encoder, arms=("finetuned",), steps=1, encoder_share=share, warmup=0.0, weight_decay=0.0)
    torch.manual_seed(one.config.seed)
    start = one.build((2, 16, 16)).network("finetuned").state_dict()
    fitted = one.fit(scans.take([0]), training=Training(accelerator="cpu"))
    assert len(one.dataset(scans.take([0]))) <= 8  # all slices are one batch, the epoch one step
    change = {
        part: max(
            float((value - start[name]).abs().max())
            for name, value in fitted.learner_.network("finetuned").state_dict().items()
            if name.startswith(part)
        )
        for part in ("encoder.", "decoder.last")
    }
    assert change["decoder.last"] == pytest.approx(one.config.learning_rate, rel=0.02)
    assert change["encoder."] == pytest.approx(share * one.config.learning_rate, rel=0.02)


def test_steps_are_rounded_up_to_whole_epochs():
    scans = labelled()
    items = len(made().dataset(scans).order(0, 0))
    batches = items // 8
    assert made(steps=2 * batches + 1).with_steps(scans).config.epochs == 3


def test_fewer_steps_than_an_epoch_has_are_taken_as_they_are():
    scans = labelled()
    one = made(steps=2).with_steps(scans)
    assert len(made().dataset(scans).order(0, 0)) > 16
    assert (one.config.epochs, len(one.dataset(scans).order(0, 0))) == (1, 16)


def test_some_of_the_scans_are_learned_from_for_as_many_steps_as_all():
    scans = labelled()
    one = made(steps=20).with_steps(scans)
    whole, some = (len(one.dataset(scans.take(chosen)).order(0, 0)) for chosen in ([0, 1, 2], [1]))
    assert whole == some


def test_classes_move_with_the_image_and_stay_whole_numbers():
    """An image that is its own class map stays one: what is moved alike agrees, but for borders."""
    learner = made().build((2, 32, 32))
    image = torch.zeros(8, 1, 32, 32)
    image[:, :, 8:24, 4:20] = 1
    batch = Batch(torch.cat([image, 2 * image], 1), torch.ones_like(image, dtype=torch.bool), torch.arange(8))
    moved = learner.augment(batch, torch.Generator().manual_seed(0))
    seen, classes = moved.values[:, 0], moved.values[:, 1]
    assert set(classes.unique().tolist()) <= {0.0, 1.0, 2.0}
    assert not torch.equal(classes, batch.values[:, 1])
    centre = seen.flatten(1).mean(1)
    assert ((seen > centre[:, None, None]) == (classes > 0)).float().mean() > 0.93


def test_without_augmentation_a_batch_stays_as_it_is():
    learner = made(augment=False).build((2, 16, 16))
    batch = Batch(torch.rand(2, 2, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool), torch.arange(2))
    assert learner.augment(batch, torch.Generator()) is batch


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_what_intensities_tell_is_learned_and_found_in_other_scans(dims):
    scans, other = labelled(4), labelled(1, seed=3)
    sizes = {"steps": 150, "batch_size": 8 if dims == 2 else 2, "learning_rate": 0.01}
    one = made(pretrained(dims=dims), augment=False, **sizes)
    fitted = one.with_steps(scans).fit(scans, training=Training(accelerator="cpu"))
    for arm in ARMS:
        shares = fitted.probabilities(arm, other.values[0, :1], other.masks[0])
        assert shares.shape == (CLASSES, 16, 16, 8)
        np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
        assert (shares.argmax(axis=0) == other.values[0, 1]).mean() > 0.85


def test_an_encoder_of_one_size_learns_from_patches_of_it():
    scans = labelled(2, (48, 40, 4))
    dataset = made(pretrained("vit")).dataset(scans)
    batch = dataset.batch(dataset.order(0, 0)[:2])
    assert batch.values.shape == (2, 2, 32, 32)


def test_an_unknown_parameter_is_named():
    with pytest.raises(UsageError, match="did you mean 'steps'"):
        SegmentationConfig.parse({"step": 3})


def test_slices_outside_the_brain_are_background():
    scans = labelled(2)
    fitted = made(arms=("finetuned",)).with_steps(scans).fit(scans, training=Training(accelerator="cpu"))
    mask = np.zeros((16, 16, 8), bool)
    mask[4:12, 4:12, 3:5] = True
    shares = fitted.probabilities("finetuned", scans.values[0, :1] * mask, mask)
    assert (shares[0, ..., :3] == 1).all()
    assert (shares[0, ..., 5:] == 1).all()
    assert (shares[0, ..., 3:5] < 1).all()
