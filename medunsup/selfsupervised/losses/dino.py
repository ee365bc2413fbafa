"""The loss of DINO: the student says of one view what the teacher says of another."""

from collections.abc import Sequence

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def dino(
    student: Sequence[Tensor],
    teacher: Sequence[Tensor],
    center: Tensor,
    *,
    teacher_temperature: float = 0.04,
    student_temperature: float = 0.1,
) -> Tensor:
    """Cross-entropy from the teacher's centred and sharpened probabilities to the student's.

    Caron et al., Emerging properties in self-supervised vision transformers, ICCV 2021. A teacher that is
    uniform gives ln K for ever: lower its temperature.

    Parameters
    ----------
    student : sequence of Tensor
        Logits (N, K) of each view; the first ones are the teacher's views.
    teacher : sequence of Tensor
        Logits (N, K) of the large views; no gradient goes into them.
    center : Tensor
        What is taken from the teacher's logits (K,), see `updated_center`.
    teacher_temperature, student_temperature : float
        What logits are divided by, above 0; the teacher's is the lower one.

    Returns
    -------
    Tensor
        Mean over items and over pairs of two different views, in nats.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.dino import dino
    >>> same = [torch.zeros(4, 8), torch.zeros(4, 8)]
    >>> round(float(dino(same, same, torch.zeros(8)).exp()), 3)
    8.0
    """
    says = [((one.detach() - center) / teacher_temperature).softmax(dim=1) for one in teacher]
    heard = [(one / student_temperature).log_softmax(dim=1) for one in student]
    pairs = [(p, q) for i, p in enumerate(says) for j, q in enumerate(heard) if i != j]
    return torch.stack([-(p * q).sum(dim=1).mean() for p, q in pairs]).mean()


def updated_center(center: Tensor, teacher: Sequence[Tensor], *, momentum: float = 0.9) -> Tensor:
    """Move the centre (K,) towards the mean of the teacher's logits (N, K) of all views."""
    mean = torch.cat([one.detach() for one in teacher]).to(center).mean(dim=0)
    return momentum * center + (1 - momentum) * mean
