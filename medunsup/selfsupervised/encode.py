"""An encoder put to use: made of its weights, and features of many scans, a row each."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.nn.utils import convert_conv2d_weight_memory_format

from medunsup.nn.encoder import Encoder, make_encoder
from medunsup.training.scan_stack import Array, Mask

AT_ONCE = {2: 64, 3: 1}  # slices, volumes


def encoder_of(
    weights: Mapping[str, np.ndarray], name: str, parameters: Mapping[str, Any], *, dims: int, channels: int
) -> Encoder:
    """Build an encoder and fill it with weights by name.

    Raises UsageError if it cannot be built, RuntimeError unless exactly its weights are given.
    """
    with torch.random.fork_rng(devices=[]):
        made = make_encoder(name, parameters, dims=dims, channels=channels)
    made.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in weights.items()})
    return convert_conv2d_weight_memory_format(made, torch.channels_last).eval()  # as in training: same bits


def untrained(name: str, parameters: Mapping[str, Any], *, dims: int, channels: int, seed: int) -> Encoder:
    """Build an encoder with the random weights that follow from a seed; torch's own generator is left alone.

    Raises UsageError if it cannot be built.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = make_encoder(name, parameters, dims=dims, channels=channels)
    return convert_conv2d_weight_memory_format(made, torch.channels_last).eval()


def encode(encoder: Encoder, values: Array, masks: Mask | None = None) -> Array:
    """Return features (N, D) float32 of scans (N, C, I, J, K): means of the coarsest map inside the masks.

    In two dimensions the slices that reach into the mask (N, I, J, K) are encoded, and their features
    averaged. A scan whose mask is empty, and all without masks, are looked at whole.
    """
    if masks is None:
        masks = np.ones(np.delete(values.shape, 1), bool)
    device = next(encoder.parameters()).device
    sums, counts = np.zeros((len(values), encoder.n_features)), np.zeros(len(values))
    encoder.eval()
    for scans, _, x, inside in items(values, masks, encoder.dims):
        with torch.no_grad():
            rows = encoder.features(torch.from_numpy(x).to(device), torch.from_numpy(inside).to(device))
        np.add.at(sums, scans, rows.float().cpu().numpy())
        np.add.at(counts, scans, 1)
    return (sums / counts[:, None]).astype(np.float32)


def items(values: Array, masks: Mask, dims: int) -> Iterator[tuple[np.ndarray, np.ndarray, Array, Mask]]:
    """Yield whose each item is and which slice (B,), values (B, C, ...) and masks (B, 1, ...), in batches."""
    used = np.asarray(masks.any(axis=(1, 2))) if dims == 2 else np.ones((len(masks), 1), bool)
    used[np.count_nonzero(used, axis=1) == 0] = True
    scans, levels = np.nonzero(used)
    for start in range(0, len(scans), AT_ONCE[dims]):
        whose, level = (one[start : start + AT_ONCE[dims]] for one in (scans, levels))
        if dims == 3:
            x, inside = values[whose], masks[whose]
        else:
            x, inside = np.moveaxis(values, 4, 1)[whose, level], np.moveaxis(masks, 3, 1)[whose, level]
        yield whose, level, np.ascontiguousarray(x, np.float32), np.ascontiguousarray(inside)[:, None]
