"""Each loss is what its paper writes, recomputed in NumPy from the networks' outputs, in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_expit, softmax
from scipy.stats import norm
from torch import Tensor, nn

from medunsup.core.registry import method
from medunsup.nn.jacobian import squared_jacobian
from medunsup.nn.ssim import structural_similarity
from medunsup.training.learner import Batch, Learner, Loss

SMALL = {"channels": 2, "levels": 1, "latent_dim": 3, "seed": 3}
SHAPE = (1, 8, 8, 1)
SEED = 11
STEP = 1e-5
close = pytest.approx


def learner(name: str, **parameters: Any) -> Any:
    """A tiny learner whose codes are as spread as trained ones."""
    kind = method("anomaly", name)
    wanted = {key: value for key, value in SMALL.items() if key in kind.Config.model_fields}
    made: Learner = kind(kind.Config.parse(wanted | parameters))._build(SHAPE).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(1.5)
    return made


def batch(n: int = 4) -> Batch:
    rng = np.random.default_rng(5)
    masks = rng.random((n, 1, *SHAPE[1:3])) < 0.7
    values = rng.random((n, 1, *SHAPE[1:3])) * masks
    return Batch(torch.from_numpy(values), torch.from_numpy(masks), torch.arange(n))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def normals(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """What a loss draws from a fresh generator, in this order."""
    source = generator()
    return [torch.randn(shape, generator=source, dtype=torch.float64).numpy() for shape in shapes]


def array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def number(value: Tensor) -> float:
    return float(value.detach())


def tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def mean_inside(values: np.ndarray, masks: np.ndarray) -> float:
    return float(np.mean([item[mask].mean() for item, mask in zip(values, masks, strict=True)]))


def divergence(mean_1: Any, variance_1: Any, mean_2: Any, variance_2: Any) -> np.ndarray:
    """Divergence of one Gaussian from another, from its definition by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    x = mean_1[..., None] + np.sqrt(variance_1)[..., None] * nodes
    ratio = norm.logpdf(x, mean_1[..., None], np.sqrt(variance_1)[..., None]) - norm.logpdf(
        x, mean_2[..., None], np.sqrt(variance_2)[..., None]
    )
    return (ratio * weights).sum(axis=-1) / np.sqrt(2 * np.pi)


def slopes(function: Callable[[Tensor], Tensor], x: np.ndarray) -> np.ndarray:
    """Jacobian (B, D, V) of (B, D) outputs by (B, V) inputs of the same item, by central differences."""
    columns = []
    for voxel in np.ndindex(x.shape[1:]):
        step = np.zeros_like(x)
        step[(slice(None), *voxel)] = STEP
        columns.append((array(function(tensor(x + step))) - array(function(tensor(x - step)))) / (2 * STEP))
    return np.stack(columns, axis=-1)


def penalty_at(
    critic: Callable[[Tensor], Tensor], real: np.ndarray, fake: np.ndarray, share: np.ndarray
) -> float:
    share = share.reshape(-1, *[1] * (real.ndim - 1))
    steepness = np.linalg.norm(slopes(critic, share * real + (1 - share) * fake)[:, 0], axis=1)
    return float(np.mean((steepness - 1) ** 2))


def shares_after(*shapes: tuple[int, ...], n: int = 4) -> np.ndarray:
    """Uniform numbers that follow those normal draws."""
    source = generator()
    for shape in shapes:
        torch.randn(shape, generator=source, dtype=torch.float64)
    return torch.rand(n, generator=source, dtype=torch.float64).numpy()


def agrees_with_differences(made: nn.Module, weight: Tensor, loss: Callable[[], Loss]) -> None:
    """The gradient of a loss by one weight is the loss's change with it: no part was cut off."""
    (gradient,) = torch.autograd.grad(loss().total, weight)
    place = tuple(int(n) for n in np.unravel_index(int(gradient.abs().argmax()), gradient.shape))
    totals = []
    for step in (STEP, -STEP):
        with torch.no_grad():
            weight[place] += step
        totals.append(number(loss().total))
        with torch.no_grad():
            weight[place] -= step
    assert number(gradient[place]) == close((totals[0] - totals[1]) / (2 * STEP), rel=1e-5)


@pytest.mark.parametrize(("name", "beta"), [("vae", 1.0), ("beta_vae", 7.0)])
def test_the_variational_loss_is_the_evidence_lower_bound(name, beta):
    made, one = learner(name, **({"beta": beta} if name == "beta_vae" else {})), batch()
    code = array(made.encoder(one.values))
    mean, variance = code[:, :3], np.exp(code[:, 3:])
    (noise,) = normals(mean.shape)
    decoded = array(made.decoder(tensor(mean + np.sqrt(variance) * noise)))
    each = norm.logpdf(array(one.values), decoded, made.config.residual_sd) * array(one.masks)
    negative_log_likelihood = -each.reshape(4, -1).sum(axis=1).mean()
    from_prior = divergence(mean, variance, np.zeros_like(mean), np.ones_like(mean)).sum(axis=1).mean()
    found = made.loss(one, generator())
    assert number(found.terms["negative_log_likelihood"]) == close(negative_log_likelihood, rel=1e-6)
    assert number(found.terms["divergence"]) == close(from_prior, rel=1e-6)
    assert number(found.total) == close((negative_log_likelihood + beta * from_prior) / 64, rel=1e-6)


@pytest.mark.parametrize("least", [0.0, 1.7])
def test_the_mixture_loss_has_the_three_divergences_of_its_paper(least):
    made, one = learner("gmvae", clusters=4, style_dim=2, least_information=least), batch()
    code = array(made.encoder(one.values))
    z, z_variance, w, w_variance = code[:, :3], np.exp(code[:, 3:6]), code[:, 6:8], np.exp(code[:, 8:])
    z_noise, w_noise = normals(z.shape, w.shape)
    z_drawn, w_drawn = z + np.sqrt(z_variance) * z_noise, w + np.sqrt(w_variance) * w_noise
    prior = array(made.prior(tensor(w_drawn))).reshape(4, 4, 6)
    means, variances = prior[..., :3], np.exp(prior[..., 3:])
    fit = norm.logpdf(z_drawn[:, None], means, np.sqrt(variances)).sum(axis=-1)
    membership = softmax(fit, axis=1)
    tiled = [np.broadcast_to(part[:, None], means.shape) for part in (z, z_variance)]
    of_z = (membership * divergence(*tiled, means, variances).sum(axis=-1)).sum(axis=1)
    of_w = divergence(w, w_variance, np.zeros_like(w), np.ones_like(w)).sum(axis=1)
    of_c = (membership * np.log(membership / 0.25)).sum(axis=1)
    decoded = array(made.decoder(tensor(z_drawn)))
    each = norm.logpdf(array(one.values), decoded, made.config.residual_sd) * array(one.masks)
    negative_log_likelihood = -each.reshape(4, -1).sum(axis=1)
    found = made.loss(one, generator())
    for term, expected in {
        "conditional": of_z,
        "style": of_w,
        "cluster": of_c,
        "negative_log_likelihood": negative_log_likelihood,
    }.items():
        assert number(found.terms[term]) == close(expected.mean(), rel=1e-6), term
    total = (negative_log_likelihood + of_z + of_w + np.maximum(of_c, least)).mean() / 64
    assert number(found.total) == close(total, rel=1e-6)


def test_the_contractive_penalty_is_the_encoders_squared_jacobian():
    made, one = learner("contractive_ae"), batch()
    expected = (slopes(made.encoder, array(one.values)) ** 2).sum(axis=(1, 2))
    basis = torch.eye(3, dtype=torch.float64)[:, None].expand(3, 4, 3)
    np.testing.assert_allclose(array(squared_jacobian(made.encoder, one.values, basis)), expected, rtol=1e-6)


def test_the_contractive_loss_takes_one_random_direction_an_item():
    made, one = learner("contractive_ae", contraction=0.3), batch()
    (direction,) = normals((1, 4, 3))
    along = np.einsum("bd,bdv->bv", direction[0], slopes(made.encoder, array(one.values)))
    contraction = (along**2).sum(axis=1).mean()
    difference = array(made.reconstruct(one.values, one.masks) - one.values)
    error = mean_inside(difference**2, array(one.masks))
    found = made.loss(one, generator())
    assert number(found.terms["contraction"]) == close(contraction, rel=1e-6)
    assert number(found.total) == close(error + 0.3 * contraction, rel=1e-6)
    agrees_with_differences(made, made.encoder[0][0].weight, lambda: made.loss(one, generator()))


def test_the_constrained_autoencoder_wants_equal_scans_and_equal_codes():
    made, one = learner("constrained_aae", consistency=0.4), batch()
    z = array(made.encoder(one.values))
    healthy = array(made.decoder(tensor(z))) * array(one.masks)
    again = array(made.encoder(tensor(healthy)))
    error = mean_inside((healthy - array(one.values)) ** 2, array(one.masks))
    consistency = np.mean((again - z) ** 2)
    found = made.loss(one, generator())
    assert number(found.terms["error"]) == close(error, rel=1e-6)
    assert number(found.terms["consistency"]) == close(consistency, rel=1e-6)
    assert number(found.total) == close(error + 0.4 * consistency, rel=1e-6)
    agrees_with_differences(made, made.encoder[0][0].weight, lambda: made.loss(one, generator()))


def test_the_constrained_autoencoders_critic_is_a_wasserstein_critic_of_codes():
    made, one = learner("constrained_aae", penalty=7.0), batch()
    codes = array(made.encoder(one.values))
    (drawn,) = normals(codes.shape)
    real, fake = (array(made.critic(tensor(z))).mean() for z in (drawn, codes))
    penalty = penalty_at(made.critic, drawn, codes, shares_after(codes.shape))
    found = made.criticise(one, generator())
    assert number(found.terms["penalty"]) == close(penalty, rel=1e-6)
    assert number(found.total) == close(fake - real + 7.0 * penalty, rel=1e-6)
    assert number(made.approach(one, generator()).total) == close(-fake, rel=1e-6)


def test_the_adversarial_autoencoders_discriminator_tells_codes_from_draws():
    made, one = learner("aae"), batch()
    codes = array(made.encoder(one.values))
    (drawn,) = normals(codes.shape)
    for_drawn, for_codes = (array(made.discriminator(tensor(z))) for z in (drawn, codes))
    entropy = -0.5 * (log_expit(for_drawn).mean() + log_expit(-for_codes).mean())
    assert number(made.tell_apart(one, generator()).total) == close(entropy, rel=1e-6)
    assert number(made.deceive(one, generator()).total) == close(-log_expit(for_codes).mean(), rel=1e-6)


def test_the_gans_encoder_wants_equal_scans_and_equal_features_of_the_critic():
    made, one = learner("fanogan", kappa=0.6), batch()
    healthy = array(made.decoder(made.encoder(one.values))) * array(one.masks)
    error = mean_inside((healthy - array(one.values)) ** 2, array(one.masks))
    seen = [array(made.critic.features(tensor(x))) for x in (healthy, array(one.values))]
    expected = error + 0.6 * np.mean((seen[0] - seen[1]) ** 2)
    assert number(made.loss(one, generator()).total) == close(expected, rel=1e-6)


def test_the_gans_critic_is_a_wasserstein_critic_of_scans():
    made, one = learner("fanogan", penalty=7.0), batch()
    (z,) = normals((4, 3))
    healthy = array(made.decoder(tensor(z))) * array(one.masks)
    real, fake = (array(made.critic(tensor(x))).mean() for x in (array(one.values), healthy))
    penalty = penalty_at(made.critic, array(one.values), healthy, shares_after(z.shape))
    found = made.criticise(one, generator())
    assert number(found.terms["penalty"]) == close(penalty, rel=1e-6)
    assert number(found.total) == close(fake - real + 7.0 * penalty, rel=1e-6)
    assert number(made.generate(one, generator()).total) == close(-fake, rel=1e-6)
    agrees_with_differences(made, made.critic.last.weight, lambda: made.criticise(one, generator()))


def test_structural_similarity_is_that_of_each_window_by_itself():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 1, 1, 9, 6))
    expected = np.empty((9, 6))
    for i, j in np.ndindex(9, 6):
        window = (slice(max(0, i - 2), i + 3), slice(max(0, j - 2), j + 3))
        a, b = one[0, 0][window], other[0, 0][window]
        means = (2 * a.mean() * b.mean() + 1e-4) / (a.mean() ** 2 + b.mean() ** 2 + 1e-4)
        covariance = np.mean((a - a.mean()) * (b - b.mean()))
        expected[i, j] = means * (2 * covariance + 9e-4) / (a.var() + b.var() + 9e-4)
    found = structural_similarity(tensor(one), tensor(other), window=5)
    np.testing.assert_allclose(array(found)[0, 0], expected, rtol=1e-6)
