"""The encoder inside a fine-tuned network, whatever the network was fine-tuned for."""

from typing import TYPE_CHECKING

from medunsup.cohort.finetuned.folder import WEIGHTS, FinetunedFolder
from medunsup.core.errors import InputError, MedunsupError

if TYPE_CHECKING:
    from medunsup.nn.encoder import Encoder

PREFIX = "encoder."


def encoder_in(folder: FinetunedFolder) -> "Encoder":
    """Return the encoder of a fine-tuned network with its weights; InputError unless all of them fit."""
    from medunsup.selfsupervised.encode import encoder_of

    plan, stored = folder.plan, folder.files.arrays(WEIGHTS)
    weights = {name.removeprefix(PREFIX): one for name, one in stored.items() if name.startswith(PREFIX)}
    try:
        return encoder_of(weights, plan.encoder, plan.parameters, dims=plan.dims, channels=plan.channels)
    except (MedunsupError, RuntimeError) as error:
        raise InputError(
            f"{folder.path}: the weights do not fit the encoder {plan.encoder} "
            f"({' '.join(str(error).split())[:200]}). Fine-tune again with this version."
        ) from error
