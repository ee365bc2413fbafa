"""Losses that several methods share; each is a mean over items, so that pieces of a batch add up."""

from collections.abc import Callable

import torch
from torch import Tensor


def inside_mean(values: Tensor, masks: Tensor) -> Tensor:
    """Mean of (B, C, ...) inside the masks (B, 1, ...), of each item first, then of the items."""
    axes = tuple(range(1, values.ndim))
    counts = masks.sum(dim=axes).clamp(min=1) * values.shape[1]
    return ((values * masks).sum(dim=axes) / counts).mean()


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence (B,) of N(mean, variance) from N(0, 1), summed over latents (B, D)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).flatten(1).sum(dim=1)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, generator: torch.Generator
) -> Tensor:
    """Mean of (norm of the critic's gradient - 1)² at random points between real and fake (B, ...).

    Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017.
    """
    share = torch.rand(len(real), generator=generator, device=real.device, dtype=real.dtype)
    share = share.view(-1, *[1] * (real.ndim - 1))
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def total_variation(values: Tensor) -> Tensor:
    """Sum (B,) of absolute differences between neighbours in (B, C, ...), along all axes of space."""
    axes = range(2, values.ndim)
    return torch.stack([values.diff(dim=axis).abs().flatten(1).sum(dim=1) for axis in axes]).sum(dim=0)
