"""Random numbers that follow from a key of whole numbers alone, so that a resumed run draws the same."""

from enum import IntEnum

import numpy as np
import torch


class Use(IntEnum):
    """What random numbers are for; keys of different uses never meet."""

    OBJECTIVE = 1
    ITEM = 2
    AUGMENT = 3
    VALIDATION = 4
    MEASURE = 5


def draw(*key: int, use: Use = Use.OBJECTIVE) -> int:
    """Draw a seed that follows from a key of whole numbers alone."""
    return int(np.random.SeedSequence((int(use), *key)).generate_state(1, np.uint64)[0] >> 1)


def seeded(device: torch.device, *key: int, use: Use = Use.OBJECTIVE) -> torch.Generator:
    """Make a generator that follows from a key, and set torch's own, which dropout uses, to the same seed."""
    seed = draw(*key, use=use)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed does this and formats a stack trace
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    return torch.Generator(device).manual_seed(seed)
