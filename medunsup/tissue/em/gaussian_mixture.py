"""A Gaussian mixture of pure tissues and of voxels that two tissues share.

Component c holds fractions `mix[c]` (K,) of the tissues. Its Gaussian has mean `mix[c] @ means` and
covariance `mix[c] @ covariances`; its prior log-weight is `mix[c]` times the tissues' log-priors, so a
half-and-half voxel is likeliest where both tissues are. An outlier component belongs to no tissue.

References
----------
Santago & Gage, Statistical models of partial volume effect, IEEE TIP 4 (1995).
Shattuck et al., Magnetic resonance image tissue classification using a partial volume model,
NeuroImage 13 (2001).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Values = NDArray[np.float64]

INNER_STEPS = 5
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Layout:
    """Which components there are: `mix` (M, K) fractions, `offset` (M,) log-weights; the last may be outlier.

    `majority` (M, K) gives each component to the tissue that holds most of it.
    """

    mix: Values
    offset: Values
    n_tissues: int
    has_outlier: bool

    @property
    def majority(self) -> Values:
        """One-hot by largest fraction; an even split counts half for each; no tissue for the outlier."""
        top = (self.mix == self.mix.max(axis=1, keepdims=True)) & (self.mix > 0)
        return top / np.maximum(top.sum(axis=1, keepdims=True), 1)


def layout(
    n_tissues: int, shared: Mapping[tuple[int, int], float], *, levels: int, outlier_weight: float
) -> Layout:
    """Lay out pure tissues, `levels` shared components for each pair in `shared`, and an outlier.

    `shared` holds the prior weight of all levels of a pair together, relative to a pure tissue.
    """
    rows = [np.eye(n_tissues)]
    offsets = [np.zeros(n_tissues)]
    shares = (np.arange(levels) + 0.5) / levels
    for (first, second), weight in shared.items():
        if weight > 0:
            row = np.zeros((levels, n_tissues))
            row[:, first], row[:, second] = 1 - shares, shares
            rows.append(row)
            offsets.append(np.full(levels, np.log(weight / levels)))
    if outlier_weight > 0:
        rows.append(np.zeros((1, n_tissues)))
        offsets.append(np.array([np.log(outlier_weight)]))
    return Layout(np.vstack(rows), np.concatenate(offsets), n_tissues, outlier_weight > 0)


def shared_by_neighbours(
    names: Sequence[str], order: Sequence[int], *, gm_wm: float, other: float
) -> dict[tuple[int, int], float]:
    """Pair tissues that are neighbours in intensity, with the weight of voxels that the two share.

    `order` are their numbers from dark to bright, `names` their abbreviations in that order.
    """
    pairs = zip(pairwise(order), pairwise(names), strict=True)
    return {pair: gm_wm if set(two) == {"GM", "WM"} else other for pair, two in pairs}


@dataclass(frozen=True)
class Gaussians:
    """Pure tissues' `means` (K, C) and `covariances` (K, C, C), in the units of the intensities."""

    means: Values
    covariances: Values

    def spread(self, mix: Values) -> tuple[Values, Values]:
        """Means (M, C) and covariances (M, C, C) of components with fractions `mix` (M, K)."""
        return mix @ self.means, np.einsum("mk,kij->mij", mix, self.covariances)

    def blend(self, other: "Gaussians", share: float, tissues: Sequence[int]) -> "Gaussians":
        """Go `share` of the way to `other` with some tissues, and leave the rest."""
        means, covariances = self.means.copy(), self.covariances.copy()
        means[tissues] += share * (other.means[tissues] - means[tissues])
        covariances[tissues] += share * (other.covariances[tissues] - covariances[tissues])
        return Gaussians(means, covariances)


@dataclass(frozen=True)
class Moments:
    """Responsibility sums a component: `n` (M,), `first` (M, C), `second` (M, C, C)."""

    n: Values
    first: Values
    second: Values

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.n + other.n, self.first + other.first, self.second + other.second)


def log_densities(values: Array, gaussians: Gaussians, parts: Layout) -> Array:
    """Log-density of each component at each voxel, (M, N) float32, `offset` included; `values` (C, N)."""
    means, covariances = gaussians.spread(parts.mix[: _n_gaussian(parts)])
    out = np.empty((len(parts.mix), values.shape[1]), dtype=np.float32)
    for row, (mean, covariance, offset) in enumerate(zip(means, covariances, parts.offset, strict=False)):
        root = np.linalg.cholesky(covariance)
        white = np.linalg.inv(root).astype(np.float32)
        shift = (white @ mean.astype(np.float32))[:, None]
        distance = white @ values
        distance -= shift
        np.square(distance, out=distance)
        distance = distance.sum(axis=0) if len(distance) > 1 else distance[0]
        constant = offset - np.log(np.diag(root)).sum() - 0.5 * len(mean) * LOG_2PI
        np.multiply(distance, np.float32(-0.5), out=out[row])
        out[row] += np.float32(constant)
    if parts.has_outlier:
        out[-1] = parts.offset[-1]  # uniform over the unit range of scaled intensities
    return out


def maximise(
    moments: Moments, now: Gaussians, parts: Layout, allowed: Callable[[Gaussians], Gaussians]
) -> Gaussians:
    """M-step: new Gaussians that never fit the responsibilities worse than `now`.

    Proposed by some steps of an inner EM and brought to what is `allowed`, then drawn back towards `now`
    until the expected log-likelihood over all components does not fall.
    """
    proposed = now
    for _ in range(INNER_STEPS):
        proposed = _unmixed(moments, proposed, parts)
    best, reached = now, expected_log_likelihood(moments, now, parts)
    for tissues in (list(range(parts.n_tissues)), *([k] for k in range(parts.n_tissues))):
        share = 1.0
        while share > 1e-2:
            candidate = allowed(best.blend(proposed, share, tissues))
            value = expected_log_likelihood(moments, candidate, parts)
            if value > reached:
                best, reached = candidate, value
                break
            share /= 2
    return best


def expected_log_likelihood(moments: Moments, gaussians: Gaussians, parts: Layout) -> float:
    """Sum of responsibility times log-density over voxels and components: the M-step's objective."""
    count = _n_gaussian(parts)
    means, covariances = gaussians.spread(parts.mix[:count])
    total = 0.0
    for n, first, second, mean, covariance in zip(
        moments.n, moments.first, moments.second, means, covariances, strict=False
    ):
        scatter = second - np.outer(first, mean) - np.outer(mean, first) + n * np.outer(mean, mean)
        log_det = np.linalg.slogdet(covariance)[1]
        total -= 0.5 * (
            n * (log_det + len(mean) * LOG_2PI) + float(np.trace(np.linalg.solve(covariance, scatter)))
        )
    return total


def log_normaliser(log_proportions: Values, parts: Layout) -> float:
    """Log of all components' summed weights for tissue proportions `exp(log_proportions)`."""
    return float(np.logaddexp.reduce(parts.mix @ log_proportions + parts.offset))


def proportions(moments: Moments, now: Values, parts: Layout) -> Values:
    """M-step of the tissues' log-proportions (K,) where no spatial prior gives them; never fits worse."""

    def objective(log_proportions: Values) -> float:
        weight = parts.mix @ log_proportions + parts.offset
        return float(moments.n @ weight - moments.n.sum() * log_normaliser(log_proportions, parts))

    share = parts.mix.T @ moments.n
    proposed = np.log(np.maximum(share / share.sum(), 1e-6))
    step = 1.0
    while step > 1e-3:
        candidate = now + step * (proposed - now)
        if objective(candidate) >= objective(now):
            return candidate
        step /= 2
    return now


def from_responsibilities(values: Array, weights: Array) -> Gaussians:
    """Gaussians of voxels `values` (C, N) weighted by `weights` (K, N)."""
    data, weight = values.astype(float), weights.astype(float)
    n = weight.sum(axis=1) + np.finfo(float).tiny
    means = weight @ data.T / n[:, None]
    covariances = np.stack(
        [
            (w * (data - mean[:, None])) @ (data - mean[:, None]).T / total
            for w, mean, total in zip(weight, means, n, strict=True)
        ]
    )
    return Gaussians(means, covariances)


def _unmixed(moments: Moments, now: Gaussians, parts: Layout) -> Gaussians:
    """One step of EM with what each tissue adds to a partial-volume voxel as hidden variable; no worse fit.

    Component c is the sum of parts z_k, Gaussian with mean mix[c, k] means[k] and covariance mix[c, k]
    covariances[k] (Van Leemput et al., A unifying framework for partial volume segmentation of brain MR
    images, IEEE TMI 22 (2003)). A tissue with hardly a voxel stays as it is.
    """
    mix = parts.mix[: _n_gaussian(parts)]
    n, first, second = (one[: len(mix)] for one in (moments.n, moments.first, moments.second))
    means, covariances = now.spread(mix)
    rest = first - n[:, None] * means
    cross = np.einsum("mi,mj->mij", first, means)
    scatter = second - cross - cross.transpose(0, 2, 1) + np.einsum("m,mi,mj->mij", n, means, means)
    inverse = np.linalg.inv(covariances)
    new = Gaussians(now.means.copy(), now.covariances.copy())
    for k in range(parts.n_tissues):
        has = mix[:, k] > 0
        share, count = mix[has, k], n[has]
        if share @ count < 1.0:
            continue
        gain = share[:, None, None] * now.covariances[k] @ inverse[has]
        pulled = np.einsum("mij,mj->mi", gain, rest[has])
        shift = pulled.sum(axis=0) / (share @ count)
        moved = -share[:, None] * shift
        spread = np.einsum("mij,mjk,mlk->mil", gain, scatter[has], gain)
        spread += np.einsum("m,mi,mj->mij", count, moved, moved)
        both = np.einsum("mi,mj->mij", moved, pulled)
        spread += both + both.transpose(0, 2, 1)
        own = share[:, None, None] * now.covariances[k]
        spread += count[:, None, None] * (own - gain @ own)
        new.means[k] = now.means[k] + shift
        new.covariances[k] = (spread / share[:, None, None]).sum(axis=0) / count.sum()
    return new


def _n_gaussian(parts: Layout) -> int:
    return len(parts.mix) - int(parts.has_outlier)
