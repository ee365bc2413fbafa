"""Weights of an encoder in another network: all or none, and the features are the same."""

import json
from typing import ClassVar

import pytest
import torch
from monai.networks.nets import (
    UNETR,
    BasicUNet,
    FlexibleUNet,
    MaskedAutoEncoderViT,
    SegResNet,
    SwinUNETR,
    resnet50,
)
from torch import nn

from medunsup.core.errors import UsageError
from medunsup.nn import AdaptationPlan, load_weights, make_encoder, transfer
from medunsup.nn.unet import UNet

GROUP = ("group", {"num_groups": 8})
VIT = {"sides": 32, "width": 24, "heads": 3}


def basic_unet(channels: int = 1, dims: int = 2, features: int = 8, norm=GROUP) -> nn.Module:
    sizes = [features * times for times in (1, 1, 2, 4, 8, 1)]
    return BasicUNet(spatial_dims=dims, in_channels=channels, features=sizes, norm=norm)


def unetr(channels: int = 1, dims: int = 2) -> nn.Module:
    sizes = {"hidden_size": 24, "mlp_dim": 96, "num_heads": 3, "feature_size": 8}
    return UNETR(channels, 2, img_size=32, spatial_dims=dims, **sizes)


def swin_unetr(channels: int = 1, dims: int = 2) -> nn.Module:
    sizes = {"feature_size": 12, "depths": (1,) * 4, "window_size": 2}
    return SwinUNETR(channels, 2, spatial_dims=dims, **sizes)


def segresnet(channels: int = 1, dims: int = 2) -> nn.Module:
    return SegResNet(spatial_dims=dims, in_channels=channels, init_filters=8)


def own_unet(channels: int = 1, dims: int = 2) -> nn.Module:
    return UNet(dims, channels, 2, channels=8, levels=3)


HOMES = {
    "cnn": (own_unet, {"channels": 8}),
    "segresnet": (segresnet, {"channels": 8}),
    "swin": (swin_unetr, {"width": 12, "blocks": 1, "window": 2}),
    "unet": (basic_unet, {"channels": 8}),
    "vit": (unetr, VIT),
}


def trained(name: str, parameters: dict, dims: int = 2):
    torch.manual_seed(1)
    encoder = make_encoder(name, parameters, dims=dims, channels=1)
    side = 64 if name == "swin" else 32  # SwinUNETR's instance norm needs more than one cell
    return encoder, AdaptationPlan.of(encoder, patch=(side,) * dims)


@pytest.mark.parametrize("name", HOMES)
class TestHome:
    @pytest.mark.parametrize("dims", [2, 3])
    def test_every_weight_goes_into_the_network_that_the_encoder_is_part_of(self, name, dims):
        home, parameters = HOMES[name]
        encoder, plan = trained(name, parameters, dims)
        network = home(dims=dims)
        done = transfer(encoder, network, plan)
        weights = encoder.state_dict()
        assert len(done.loaded) == len(weights)
        assert set(done.loaded) | set(done.fresh) == set(network.state_dict())
        state = network.state_dict()
        assert all(
            torch.equal(value, state[there])
            for value, there in zip(weights.values(), done.loaded, strict=True)
        )
        assert done.compared > 3
        assert done.difference <= 1e-5

    def test_weights_of_one_channel_serve_several_and_it_is_said(self, name):
        home, parameters = HOMES[name]
        encoder, plan = trained(name, parameters)
        done = transfer(encoder, home(channels=3), plan)
        assert "for 1 channel repeated for 3" in str(done)
        assert done.difference <= 1e-5

    def test_a_plan_survives_json_and_builds_the_encoder_that_takes_the_weights(self, name):
        encoder, plan = trained(name, HOMES[name][1])
        again = AdaptationPlan.parse(json.loads(plan.model_dump_json()))
        assert again == plan
        other = again.build()
        done = load_weights(other, encoder.state_dict(), again)
        assert done.fresh == ()
        assert all(torch.equal(value, other.state_dict()[key]) for key, value in encoder.state_dict().items())


def test_sizes_that_do_not_fit_are_all_named_and_nothing_is_loaded():
    encoder, plan = trained("unet", {"channels": 16})
    network = basic_unet(features=8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(UsageError, match=r"for 40 weights of 40") as refused:
        transfer(encoder, network, plan)
    assert all(f"{name} (" in str(refused.value) for name in encoder.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_same_names_and_shapes_with_other_normalisation_are_noticed_and_taken_back():
    """Group norm of 8 groups and affine instance norm have the same weights; 16 channels tell them apart."""
    encoder, plan = trained("unet", {"channels": 8})
    network = basic_unet(norm=("instance", {"affine": True}))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(UsageError, match=r"shapes fit BasicUNet, but features differ from the module down_2"):
        transfer(encoder, network, plan)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    "said", ["downsample.0.bias (not there)", "features differ from the module conv1 on (shape"]
)
def test_the_resnet50_of_monai_does_not_fit_its_own_flexible_unet(said):
    """With its biases names do not fit; without, they do, but the stride of the stem is another."""
    has_bias = "bias" in said
    encoder = resnet50(n_input_channels=1, spatial_dims=2, feed_forward=False, bias_downsample=has_bias)
    network = FlexibleUNet(1, 2, "resnet50", spatial_dims=2)
    plan = AdaptationPlan(
        encoder="resnet50", dims=2, patch=(64, 64), networks={"FlexibleUNet": {"": "encoder."}}
    )
    with pytest.raises(UsageError) as refused:
        transfer(encoder, network, plan)
    assert said in str(refused.value)
    assert str(refused.value).count("(not there)") == (4 if has_bias else 0)


def test_the_resnet50_of_monai_fits_once_it_is_built_as_flexible_unet_builds_it():
    sizes = {"feed_forward": False, "bias_downsample": False, "conv1_t_stride": 2}
    encoder = resnet50(n_input_channels=1, spatial_dims=2, **sizes)
    plan = AdaptationPlan(
        encoder="resnet50", dims=2, patch=(64, 64), networks={"FlexibleUNet": {"": "encoder."}}
    )
    assert transfer(encoder, FlexibleUNet(1, 2, "resnet50", spatial_dims=2), plan).difference <= 1e-5


def test_a_masked_autoencoder_of_monai_lacks_the_last_norm_of_unetr_and_it_is_named():
    sizes = {"hidden_size": 24, "mlp_dim": 96, "num_layers": 12, "num_heads": 3}
    light = {
        "decoder_hidden_size": 24,
        "decoder_mlp_dim": 48,
        "decoder_num_layers": 1,
        "decoder_num_heads": 3,
    }
    encoder = MaskedAutoEncoderViT(1, (32, 32), (16, 16), spatial_dims=2, **sizes, **light)
    plan = AdaptationPlan(encoder="mae", dims=2, patch=(32, 32), optional=("norm_cross_attn",))
    names = {"patch_embedding.": "vit.patch_embedding.", "blocks.": "vit.blocks.", "": "vit."}
    with pytest.raises(UsageError, match=r"vit\.norm\.weight \(no weight for it\)") as refused:
        transfer(encoder, unetr(), plan, names=names)
    assert "vit.blocks.3.norm1.weight" not in str(refused.value)


def test_optional_weights_that_lack_are_named_and_never_used():
    encoder, plan = trained("vit", VIT)
    old = {name: value for name, value in encoder.state_dict().items() if "norm_cross_attn" not in name}
    done = load_weights(plan.build(), old, plan)
    assert len(done.unused) == 24
    assert "never used and missing on one side: vit.blocks.0.norm_cross_attn.weight" in str(done)


def test_weights_called_optional_that_are_used_are_refused():
    encoder, plan = trained("vit", VIT)
    old = {name: value for name, value in encoder.state_dict().items() if "vit.norm." not in name}
    with pytest.raises(UsageError, match=r"vit\.norm\.weight \(no weight for it\)"):
        load_weights(plan.build(), old, plan)
    with pytest.raises(UsageError, match=r"optional that are used: vit\.norm\.weight"):
        load_weights(plan.build(), old, plan.model_copy(update={"optional": ("vit.norm.",)}))


def test_a_part_of_the_encoder_that_the_file_lacks_is_named():
    encoder, plan = trained("unet", {"channels": 8})
    cut = {name: value for name, value in encoder.state_dict().items() if not name.startswith("down_4")}
    with pytest.raises(UsageError, match=r"down_4\.convs\.conv_0\.conv\.weight \(no weight for it\)"):
        load_weights(plan.build(), cut, plan)


def test_weights_of_the_whole_network_are_read_and_its_decoder_is_passed_over():
    encoder, plan = trained("unet", {"channels": 8})
    network = basic_unet()
    transfer(encoder, network, plan)
    again = plan.build()
    assert load_weights(again, network.state_dict(), plan).fresh == ()
    x = torch.randn(1, 1, 32, 32)
    assert torch.equal(again(x)[-1], encoder(x)[-1])


def test_a_network_that_the_plan_does_not_know_needs_names():
    class Mine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = basic_unet()

        def forward(self, x):
            return self.backbone(x)

    encoder, plan = trained("unet", {"channels": 8})
    with pytest.raises(UsageError, match=r"where the weights of unet go in Mine \(it knows BasicUNet\)"):
        transfer(encoder, Mine(), plan)
    with pytest.raises(UsageError, match=r"conv_0\.conv_0\.conv\.weight \(not there\)"):
        transfer(encoder, Mine(), plan, names={"": "trunk."})
    assert (
        len(
            transfer(
                encoder, Mine(), plan, names={"conv_0.": "backbone.conv_0.", "down_": "backbone.down_"}
            ).loaded
        )
        == 40
    )


def test_a_part_that_the_network_skips_is_noticed():
    class Skips(UNet):
        def forward(self, x):
            return self.down[0](x)

    encoder, plan = trained("cnn", {"channels": 8})
    network = Skips(2, 1, 2, channels=8, levels=3)
    with pytest.raises(UsageError, match="the network does not use it"):
        transfer(encoder, network, plan)


def test_modes_of_both_are_as_before():
    encoder, plan = trained("unet", {"channels": 8})
    network = basic_unet().train()
    network.conv_0.eval()
    transfer(encoder.eval(), network, plan)
    assert (encoder.training, network.training, network.conv_0.training) == (False, True, False)


class TestNnssl:
    """A made-up checkpoint with the names that OpenMind's have."""

    PLAN: ClassVar[dict] = {
        "architecture_plans": {
            "arch_class_name": "ResidualEncoderUNet",
            "arch_kwargs": {
                "n_stages": 3,
                "features_per_stage": [8, 16, 24],
                "n_blocks_per_stage": [1, 2, 1],
                "kernel_sizes": [[3, 3, 3]] * 3,
                "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]],
            },
        },
        "pretrain_plan": {
            "configurations": {
                "onemmiso": {
                    "spacing": [3.0, 1.0, 1.0],
                    "patch_size": [16, 24, 32],
                    "normalization_schemes": ["ZScoreNormalization"],
                }
            }
        },
        "pretrain_num_input_channels": 1,
        "recommended_downstream_patchsize": [160, 160, 160],
        "key_to_encoder": "encoder.stages",
        "key_to_stem": "encoder.stem",
        "keys_to_in_proj": ["encoder.stem.convs.0.conv", "encoder.stem.convs.0.all_modules.0"],
        "key_to_lpe": None,
    }

    def test_its_plan_is_read_with_axes_in_our_order(self):
        plan = AdaptationPlan.of_nnssl(self.PLAN)
        assert plan.parameters == {"widths": (8, 16, 24), "blocks": (1, 2, 1)}
        assert (plan.patch, plan.spacing_mm, plan.intensity) == ((32, 24, 16), (1.0, 1.0, 3.0), "z-score")

    def test_its_weights_give_on_our_arrays_what_they_give_on_theirs(self):
        unet = pytest.importorskip(
            "dynamic_network_architectures.architectures.unet", reason="needs dynamic-network-architectures"
        )
        theirs = unet.ResidualEncoderUNet(
            input_channels=1,
            n_stages=3,
            features_per_stage=[8, 16, 24],
            conv_op=nn.Conv3d,
            kernel_sizes=[[3] * 3] * 3,
            strides=[[1] * 3, [2] * 3, [2] * 3],
            num_classes=2,
            n_blocks_per_stage=[1, 2, 1],
            n_conv_per_stage_decoder=[1, 1],
            conv_bias=True,
            norm_op=nn.InstanceNorm3d,
            norm_op_kwargs={"eps": 1e-5, "affine": True},
            nonlin=nn.LeakyReLU,
            nonlin_kwargs={"inplace": True},
        )
        plan = AdaptationPlan.of_nnssl(self.PLAN)
        encoder = plan.build()
        done = load_weights(encoder, theirs.state_dict(), plan)
        assert done.fresh == ()
        x = torch.randn(1, 1, 32, 24, 16)
        expected = theirs.encoder(x.permute(0, 1, 4, 3, 2))[-1].permute(0, 1, 4, 3, 2)
        assert torch.allclose(encoder(x)[-1], expected, atol=1e-5)
        again = transfer(encoder, theirs, plan)
        assert again.difference <= 1e-5
        assert not [name for name in again.fresh if name.startswith("encoder.") or ".encoder." in name]

    def test_weights_for_one_channel_serve_an_encoder_of_two(self):
        pytest.importorskip("dynamic_network_architectures", reason="needs dynamic-network-architectures")
        plan = AdaptationPlan.of_nnssl(self.PLAN).model_copy(update={"file": {"": ""}, "file_axes": None})
        one, two = plan.build(), plan.build(channels=2)
        assert "repeated for 2" in str(load_weights(two, one.state_dict(), plan))
        x = torch.randn(1, 1, 32, 24, 16)
        assert torch.allclose(one(x)[-1], two(x.expand(-1, 2, -1, -1, -1))[-1], atol=1e-4)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"architecture_plans": {"arch_class_name": "PrimusM"}}, "nnssl's architecture PrimusM"),
            ({"key_to_stem": None, "architecture_plans": {}}, "no adaptation plan of nnssl"),
        ],
    )
    def test_what_no_encoder_has_is_refused(self, changes, said):
        with pytest.raises(UsageError, match=said):
            AdaptationPlan.of_nnssl(self.PLAN | changes)
