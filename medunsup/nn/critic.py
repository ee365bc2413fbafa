"""Networks that tell what was drawn from what was made."""

from torch import nn

HIDDEN = (400, 200)
SLOPE = 0.2


class LatentCritic(nn.Sequential):
    """Map latent vectors (B, D) to one number each (B, 1); the sizes are those of Chen & Konukoglu (2018)."""

    def __init__(self, inputs: int) -> None:
        super().__init__(
            nn.Linear(inputs, HIDDEN[0]),
            nn.LeakyReLU(SLOPE),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.LeakyReLU(SLOPE),
            nn.Linear(HIDDEN[1], 1),
        )
