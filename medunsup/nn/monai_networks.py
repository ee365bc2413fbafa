"""MONAI's networks around an encoder: built with its sizes, filled with its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import torch
from torch import Tensor, nn

from medunsup.core.errors import UsageError
from medunsup.nn.adaptation_plan import AdaptationPlan
from medunsup.nn.encoder import Encoder
from medunsup.nn.encoders.swin import HEADS
from medunsup.nn.weights import Transfer, transfer

GROUP_NORM = ["group", {"num_groups": 8}]
UNETR_SIZES = {"patch": 16, "layers": 12}

Arguments = dict[str, Any]


@dataclass(frozen=True, eq=False)
class MonaiNetwork:
    """A network of `monai.networks.nets`, named, with the arguments that build it, and what was loaded."""

    name: str
    arguments: Arguments
    network: nn.Module
    loaded: Transfer


def monai_network(encoder: Encoder, plan: AdaptationPlan, *, outputs: int) -> MonaiNetwork:
    """Build the network of MONAI that holds an encoder, and load the encoder's weights into it.

    The other weights, those of its decoder, are drawn with seed 0.

    Parameters
    ----------
    encoder : Encoder
        The pretrained encoder.
    plan : AdaptationPlan
        What is known of it.
    outputs : int
        Channels of the network's output: one a class, background among them.

    Returns
    -------
    MonaiNetwork
        The network, filled.

    Raises
    ------
    UsageError
        If MONAI has no network around this encoder, or none of its sizes.
    """
    name, arguments = monai_arguments(encoder, outputs=outputs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build(name, arguments)
    was_training = encoder.training
    loaded = transfer(encoder.eval(), network.eval(), plan)
    encoder.train(was_training)
    return MonaiNetwork(name, arguments, network, loaded)


def monai_arguments(encoder: Encoder, *, outputs: int) -> tuple[str, Arguments]:
    """Return the class of MONAI's network around an encoder, and its arguments, as JSON holds them.

    Raises UsageError if there is none.
    """
    if encoder.method_name not in KINDS:
        raise UsageError(
            f"MONAI has no network around the encoder {encoder.method_name}. Encoders that go to MONAI: "
            f"{', '.join(KINDS)}; pretrain one of these, or use `medunsup.nn.transfer` with your own network."
        )
    name, arguments = KINDS[encoder.method_name](encoder)
    return name, {
        "spatial_dims": encoder.dims,
        "in_channels": encoder.channels,
        "out_channels": outputs,
        **arguments,
    }


def build(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network of MONAI by the name of its class."""
    from monai.networks import nets

    made: nn.Module = getattr(nets, name)(**arguments)
    return made


def state_as_bytes(network: nn.Module) -> bytes:
    """Return a network's weights as the bytes of a .pth file, which `torch.load(weights_only=True)` reads."""
    state: dict[str, Tensor] = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    buffer = BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _basic_unet(encoder: Encoder) -> tuple[str, Arguments]:
    return "BasicUNet", {"features": [*encoder.widths, encoder.widths[0]], "norm": GROUP_NORM}


def _segresnet(encoder: Encoder) -> tuple[str, Arguments]:
    config = encoder.config
    return "SegResNet", {
        "init_filters": config.channels,
        "blocks_down": list(config.blocks),
        "norm": GROUP_NORM,
    }


def _swin_unetr(encoder: Encoder) -> tuple[str, Arguments]:
    config = encoder.config
    return "SwinUNETR", {
        "feature_size": config.width,
        "depths": [config.blocks] * len(HEADS),
        "num_heads": list(HEADS),
        "window_size": config.window,
    }


def _unetr(encoder: Encoder) -> tuple[str, Arguments]:
    config: Any = encoder.config
    odd = {name: getattr(config, name) for name in UNETR_SIZES if getattr(config, name) != UNETR_SIZES[name]}
    if odd:
        said = ", ".join(f"{name} {value} (not {UNETR_SIZES[name]})" for name, value in odd.items())
        raise UsageError(f"MONAI's UNETR has no encoder of these sizes: {said}. Pretrain vit with those.")
    sides: Any = encoder.sides
    return "UNETR", {
        "img_size": list(sides),
        "hidden_size": config.width,
        "mlp_dim": 4 * config.width,
        "num_heads": config.heads,
    }


KINDS: dict[str, Callable[[Encoder], tuple[str, Arguments]]] = {
    "segresnet": _segresnet,
    "swin": _swin_unetr,
    "unet": _basic_unet,
    "vit": _unetr,
}
