"""How strongly an encoder's output follows its input."""

from collections.abc import Callable

import torch
from torch import Tensor


def squared_jacobian(encode: Callable[[Tensor], Tensor], x: Tensor, directions: Tensor) -> Tensor:
    """Sum over directions d of |d·J|² (B,), J being the Jacobian of encode: (B, C, ...) to (B, D).

    `directions` are (n, B, D). With an orthonormal basis of the D latents the sum is the squared Frobenius
    norm of J; with one direction drawn from N(0, 1) it is so on average (Hutchinson 1989).
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        z = encode(x)
        slopes = [
            torch.autograd.grad(z, x, grad_outputs=direction, create_graph=True)[0]
            for direction in directions
        ]
    return torch.stack([slope.flatten(1).square().sum(dim=1) for slope in slopes]).sum(dim=0)
