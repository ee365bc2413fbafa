"""Encoders, and the blocks, networks and losses that several methods share.

Each encoder is public here under the name of its class: `from medunsup.nn import CNN`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "AdaptationPlan": "medunsup.nn.adaptation_plan",
    "Encoder": "medunsup.nn.encoder",
    "EncoderConfig": "medunsup.nn.encoder",
    "Transfer": "medunsup.nn.weights",
    "load_weights": "medunsup.nn.weights",
    "make_encoder": "medunsup.nn.encoder",
    "transfer": "medunsup.nn.weights",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("encoder",))
