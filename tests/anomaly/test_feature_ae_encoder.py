"""A feature autoencoder of a pretrained encoder sees what the encoder sees, and holds a copy of it."""

import json

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from torch.nn.utils import convert_conv2d_weight_memory_format

import medunsup
from medunsup.anomaly.factory import build_model
from medunsup.core.errors import UsageError
from medunsup.nn import make_encoder
from medunsup.nn.frozen_encoder import FrozenEncoder

SIZES = {"channels": 2, "levels": 2, "latent_dim": 4, "epochs": 1}
ENCODERS = [
    ("cnn", {"channels": 4, "levels": 2}),
    ("segresnet", {"channels": 8}),
    ("vit", {"sides": 16, "patch": 8, "width": 12, "layers": 1, "heads": 2}),
]


def encoder(name: str = "cnn", dims: int = 2, channels: int = 1):
    torch.manual_seed(7)
    made = make_encoder(name, dict(ENCODERS)[name], dims=dims, channels=channels).eval()
    return convert_conv2d_weight_memory_format(made, torch.channels_last)  # as one that was read


@pytest.mark.parametrize("name", [name for name, _ in ENCODERS])
@pytest.mark.parametrize("dims", [2, 3])
def test_features_are_those_of_the_encoder_before_and_after_training_and_reading(name, dims):
    given, scans = encoder(name, dims), small_brains()
    model = build_model("feature_ae", {**SIZES, "dims": dims, "encoder": given}).fit(scans)
    plain = json.loads(model.config.model_dump_json())
    again = build_model("feature_ae", plain).load_state(model.state(), scans.shape)
    values, mask = next(iter(scans))
    assert all(side % given.divisor == 0 for side in scans.shape[1 : 1 + dims])
    for of in (model, again):
        of.learner_.train()  # which must not reach the encoder
        for x, _ in of.inputs(values, mask):
            with torch.no_grad():
                seen, whole = of.learner_.features.maps(x), given(x)
            for level, one in zip(of.learner_.features.levels, seen, strict=True):
                torch.testing.assert_close(one, whole[level], rtol=0, atol=1e-5)
    np.testing.assert_allclose(again.deviation(values, mask), model.deviation(values, mask), atol=1e-5)


def test_sides_that_the_encoder_does_not_take_are_filled_up_and_cut_again():
    given = encoder("vit")
    seen = FrozenEncoder(given)(torch.rand(1, 1, 20, 28, generator=torch.Generator().manual_seed(0)))
    assert seen.shape == (1, 12, 10, 14)


def test_training_leaves_the_encoder_and_its_owner_alone():
    given = encoder()
    before = {name: value.clone() for name, value in given.state_dict().items()}
    model = build_model("feature_ae", {**SIZES, "encoder": given}).fit(small_brains())
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())
    assert all(
        torch.equal(value, before[name])
        for name, value in model.learner_.features.encoder.state_dict().items()
    )
    assert all(one.requires_grad for one in given.parameters())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"encoder": encoder(dims=3)}, "in 3D"),
        ({"encoder": encoder(channels=3)}, "3 channels"),
        ({"encoder": encoder(), "maps": (3,)}, "feature maps 0 to 2"),
        ({"encoder": {"name": "cnn", "dims": 2, "channels": 1}}, "without its weights"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused_with_the_reason(given, said):
    with pytest.raises(UsageError, match=said):
        build_model("feature_ae", {**SIZES, **given}).fit(small_brains())


def test_a_detector_of_arrays_takes_one_as_well():
    images = np.random.default_rng(0).uniform(0.3, 0.7, (6, 16, 16)).astype(np.float32)
    parameters = {**SIZES, "encoder": encoder(), "maps": (1,)}
    detector = medunsup.Detector(model="feature_ae", score="deviation", model_params=parameters).fit(images)
    assert detector.model_.learner_.features.outputs == 8
    assert detector.score_map(images).shape == images.shape
