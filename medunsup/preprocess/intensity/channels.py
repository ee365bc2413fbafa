"""Bring the contrasts of one head to one scale, each in the way its own weighting asks for."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.core.record import Step
from medunsup.core.volume import Volume

Array = NDArray[np.float32]


def scale(
    channels: Iterable[Volume], contrasts: Sequence[str], mask: NDArray[np.bool_], step: Step
) -> tuple[Array, list[Volume | None]]:
    """Clip the tails and scale to [0, 1] inside the mask: (C, I, J, K), one channel a contrast.

    A strong bias of a T1w channel is evened out; the coarse fields it was divided by are given back, None
    where there is none.
    """
    from medunsup.preprocess.intensity.normalize import FENCES, TAILS_PERCENT

    step.parameters |= {"tails_percent": list(TAILS_PERCENT), "fences": FENCES}
    found = [
        scale_one(channel, contrast, mask, step)
        for channel, contrast in zip(channels, contrasts, strict=True)
    ]
    return np.stack([scaled for scaled, _ in found]), [field for _, field in found]


def scale_one(
    channel: Volume, contrast: str, mask: NDArray[np.bool_], step: Step
) -> tuple[Array, Volume | None]:
    """Scale one channel (I, J, K), with the coarse field of its strong bias if it had one."""
    from medunsup.preprocess.intensity.bias import field_on, strong_bias
    from medunsup.preprocess.intensity.normalize import FENCES, winsorize_and_scale

    fence = FENCES.get(contrast)
    scaled = winsorize_and_scale(channel.data, mask, fence=fence)
    if contrast != "T1w":  # elsewhere a large lesion may look like bias
        return scaled, None
    field = strong_bias(channel.like(scaled), channel.like(mask, kind="mask"), step=step)
    if field is not None:
        scaled /= field_on(field, channel.grid)
        scaled = winsorize_and_scale(scaled, mask, fence=fence)
    return scaled, field
