"""Between MONAI's channel-first tensors and medunsup's RAS+ volumes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from medunsup.core.errors import GeometryError, UsageError
from medunsup.core.geometry import Grid
from medunsup.core.record import Step
from medunsup.core.volume import Kind, Source, Volume, to_ras

log = logging.getLogger("medunsup.transforms")


def to_volume(tensor: Any, kind: Kind = "image") -> Volume:
    """Turn a MetaTensor (1, I, J, K) with any axis order into a RAS+ volume that knows the way back.

    Raises GeometryError without an affine or with other axes than one channel and three of space.
    """
    if not isinstance(tensor, MetaTensor):
        raise GeometryError(
            "A plain tensor has no place in the world. Load it with LoadImaged, or pass a MetaTensor."
        )
    if tensor.ndim != 4 or tensor.shape[0] != 1:
        raise GeometryError(
            f"Expected one channel and three axes, (1, I, J, K), got {tuple(tensor.shape)}. "
            "Use EnsureChannelFirstd or SplitDimd first."
        )
    array = np.asarray(tensor[0].detach().cpu().numpy())
    affine = np.asarray(tensor.affine, dtype=float)
    i, j, k = array.shape
    data, ras, axes, flips = to_ras(array, affine)
    source = Source("", "array", Grid((i, j, k), affine), axes, flips)
    dtype = np.bool_ if kind == "mask" else np.float32
    return Volume(np.ascontiguousarray(data, dtype=dtype), ras, kind, source)


def to_tensor(volume: Volume, like: MetaTensor) -> MetaTensor:
    """Turn a volume made of `like` back into a MetaTensor (1, I, J, K) in its axis order, as float32."""
    array, _ = volume.in_source_space()
    return with_array(array[None], like)


def with_array(array: NDArray[Any], like: MetaTensor) -> MetaTensor:
    """Wrap channels (C, I, J, K) with the place, metadata and history of `like`."""
    tensor = torch.as_tensor(np.ascontiguousarray(array, dtype=np.float32))
    result = MetaTensor(tensor)
    result.copy_meta_from(like)
    return result


@contextmanager
def logged_step(name: str) -> Iterator[Step]:
    """Run a step whose warnings go to the log, since a MONAI chain keeps no record of steps."""
    with Step(name) as step:
        yield step
    for message in step.warnings:
        log.warning("%s: %s", name, message)


def fetch(data: dict[Any, Any], key: Any, maker: str) -> Any:
    """Look a key up that an earlier transform should have made.

    Raises UsageError naming that transform.
    """
    if key not in data:
        raise UsageError(f"There is no {key!r} in the data. Put {maker} before this transform.")
    return data[key]
