"""How unsure a posterior is."""

import numpy as np

from medunsup.tissue.base import Array


def normalized_entropy(posterior: Array) -> Array:
    """Entropy over the first axis divided by that of a coin with K sides: 0 certain, 1 a guess."""
    entropy = np.zeros(posterior.shape[1:], dtype=np.float32)
    for probability in posterior:
        entropy -= probability * np.log(np.maximum(probability, np.finfo(np.float32).tiny))
    return np.clip(entropy / np.float32(np.log(len(posterior))), 0, 1)
