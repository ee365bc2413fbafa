"""What must be known of an encoder folder's weights to use them in another network."""

from typing import TYPE_CHECKING

from medunsup.core.registry import method

if TYPE_CHECKING:
    from medunsup.cohort.encoders.manifest import EncoderManifest
    from medunsup.nn.adaptation_plan import AdaptationPlan
    from medunsup.nn.encoder import Encoder


def plan_of(about: "EncoderManifest") -> "AdaptationPlan":
    """Describe the weights of an encoder folder by what its encoder.json says; no network is built.

    Raises UsageError if there is no such encoder.
    """
    from medunsup.nn.adaptation_plan import AdaptationPlan

    network, prepared = about.network, about.preprocessing
    kind: type[Encoder] = method("encoder", network.name)
    spacing_mm, patch = prepared.spacing_mm, about.parameters.get("patch")
    return AdaptationPlan(
        encoder=network.name,
        parameters=network.parameters,
        dims=network.dims,
        channels=network.channels,
        patch=tuple(patch or prepared.shape[1 : 1 + network.dims]),
        spacing_mm=None if spacing_mm is None else (spacing_mm,) * network.dims,
        intensity=prepared.intensity,
        stem=kind.stem,
        networks=kind.networks,
        optional=kind.optional,
    )
