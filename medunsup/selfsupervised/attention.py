"""Where an encoder looks in scans on the template grid, or in images."""

import numpy as np
import torch

from medunsup.nn.attention import looked_at, names_of
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.encode import items
from medunsup.training.scan_stack import Array, Mask

TOP = 99.5  # percentile inside the mask that becomes 1: one cell at an edge must not darken a whole map


def attention(encoder: Encoder, values: Array, masks: Mask | None = None) -> dict[str, Array]:
    """Return maps (N, I, J, K) float32 of scans (N, C, I, J, K), made by `looked_at`, the main one first.

    In two dimensions each slice that reaches into the mask (N, I, J, K) is looked at alone, the others are 0.
    """
    if masks is None:
        masks = np.ones(np.delete(values.shape, 1), bool)
    found = {name: np.zeros(masks.shape, np.float32) for name in names_of(encoder)}
    device = next(encoder.parameters()).device
    encoder.eval()
    for scans, levels, x, inside in items(values, masks, encoder.dims):
        maps = looked_at(encoder, torch.from_numpy(x).to(device), torch.from_numpy(inside).to(device))
        for name, one in maps.items():
            made = one.float().cpu().numpy()
            if encoder.dims == 3:
                found[name][scans] = made
            else:
                found[name][scans, :, :, levels] = made
    return found


def scaled(found: Array, mask: Mask) -> tuple[Array, float]:
    """Bring a map to [0, 1], and say which value became 1: that which a two hundredth of the mask exceeds."""
    top = float(np.percentile(found[mask], TOP)) if mask.any() else 0.0
    return np.clip(found / top, 0, 1).astype(np.float32) if top > 0 else np.zeros_like(found), top
