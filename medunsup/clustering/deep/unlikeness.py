"""How unlike made items are to real ones, in the features of a network that nobody trained."""

import numpy as np
import torch
from torch import Tensor

from medunsup.clustering.deep.autoencoder import in_batches
from medunsup.clustering.deep.frechet import frechet_distance
from medunsup.clustering.deep.shaped_networks import Body
from medunsup.clustering.deep.share_heads import draw_weights

WIDTH = 32  # features: few, so that covariances are well known
MOST = 2_000  # items
AT_ONCE = 256


@torch.no_grad()
def frechet_figures(
    values: Tensor, made: Tensor, shape: tuple[int, ...], encoder: str, parameters: dict[str, object]
) -> tuple[float, float]:
    """Return the Fréchet distance of made to real values (N, D), and that of two halves of the real.

    Features are those of a body whose weights are drawn from one seed and never learned.
    """
    with torch.random.fork_rng(devices=[]):  # encoders draw from torch's own generator
        torch.manual_seed(0)
        body = Body(shape, WIDTH, encoder, parameters).double().eval()
    draw_weights(body, torch.Generator().manual_seed(0))
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(0))[:MOST]
    real, false = (in_batches(body, one.double(), AT_ONCE).numpy() for one in (values[order], made[:MOST]))
    if len(real) < 4:
        return np.nan, np.nan
    half = len(real) // 2
    return frechet_distance(false, real), frechet_distance(real[:half], real[half:])
