"""Expectation-maximisation of mixture, bias field and random field together.

The objective is the mean-field lower bound on the log-likelihood; without a random field it is the
log-likelihood itself. Each step can only raise it: voxels are updated one checkerboard colour at a time,
the M-step and the bias field are taken only if they do not lower it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import reduce
from operator import add
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from medunsup.core.cores import available_cores
from medunsup.tissue.em.bias_field import CoarseGrid, estimate_field
from medunsup.tissue.em.constraints import Constraints
from medunsup.tissue.em.gaussian_mixture import (
    Gaussians,
    Layout,
    Moments,
    log_densities,
    log_normaliser,
    maximise,
    proportions,
)
from medunsup.tissue.em.markov_random_field import RandomField, checkerboard

Array = NDArray[np.float32]
T = TypeVar("T")

CHUNK_VOXELS = 1 << 16
LEAST_STEP = 0.1  # towards a new bias field; below, the field stays as it is
FIRST_FIELD = 2  # iterations before the bias field is first estimated


@dataclass(frozen=True)
class Problem:
    """One grid of voxels: what is fixed while EM runs.

    `observed` (C, N) intensities and `log_prior` (K, N) at the flat voxels `index` (N,) of a grid;
    `neighbours` the random field on the grid; `bias_sigma_mm` 0 for no bias field;
    `spacing_mm` that of single voxels, whatever the grid skips.
    """

    observed: Array
    log_prior: Array
    index: NDArray[np.integer]
    grid: CoarseGrid
    spacing_mm: tuple[float, float, float]
    parts: Layout
    neighbours: RandomField
    bias_sigma_mm: float
    constraints: Constraints
    learn_proportions: bool = False


@dataclass
class State:
    """What EM changes.

    `gaussians`; `field` (C, ...) the bias on the coarse cells or None; `fractions` (K, S) at the
    random field's sites; `log_proportions` (K,), 0 where priors give them; `objective` a voxel, one value
    an iteration.
    """

    gaussians: Gaussians
    fractions: Array
    log_proportions: NDArray[np.float64]
    field: NDArray[np.float64] | None = None
    objective: list[float] = dataclass_field(default_factory=list)
    converged: bool = False

    @classmethod
    def at_start(cls, problem: Problem, gaussians: Gaussians) -> "State":
        """Begin with the given Gaussians, even proportions and no bias field."""
        n_tissues = len(problem.log_prior)
        even = np.full(n_tissues, -np.log(n_tissues)) if problem.learn_proportions else np.zeros(n_tissues)
        return cls(gaussians, problem.neighbours.no_fractions(n_tissues), even)


@dataclass(frozen=True)
class Expectation:
    """Result of one E-step over some voxels."""

    moments: Moments
    log_evidence: float
    coupling: float

    def __add__(self, other: "Expectation") -> "Expectation":
        return Expectation(
            self.moments + other.moments,
            self.log_evidence + other.log_evidence,
            self.coupling + other.coupling,
        )


def run(problem: Problem, state: State, *, max_iter: int, tolerance: float) -> State:
    """Iterate until the objective rises by less than `tolerance` a voxel; changes and returns `state`."""
    solver = Solver(problem, state)
    is_retry = False
    for iteration in range(max_iter):
        objective, moments = solver.expect()
        rise = objective - state.objective[-1] if state.objective else np.inf
        if rise < 0 and solver.withdraw_bias():
            is_retry = True
            continue
        if rise >= 0:
            state.objective.append(objective)
        if rise < tolerance and not is_retry:
            state.converged = True
            break
        is_retry = False
        solver.maximise(moments, with_bias=iteration + 1 >= FIRST_FIELD)
    return state


class Solver:
    """The arrays EM works on; kept apart from `run` so that the loop reads as the algorithm."""

    def __init__(self, problem: Problem, state: State) -> None:
        self.problem, self.state = problem, state
        self.values = self._corrected()
        self.neighbours = problem.neighbours
        self.mix = problem.parts.mix.astype(np.float32)
        self.majority = problem.parts.majority.astype(np.float32)
        self.bias_step = 1.0 if problem.bias_sigma_mm > 0 else 0.0
        self.before_bias: tuple[NDArray[np.float64] | None, Array] | None = None
        self.normaliser = self._log_normaliser()
        self.colours = [np.arange(problem.index.size, dtype=np.int32)]
        if self.neighbours.is_on:
            colour = checkerboard(problem.index, problem.grid.shape)
            self.colours = [np.flatnonzero(one).astype(np.int32) for one in (colour, ~colour)]

    def expect(self) -> tuple[float, Moments]:
        """E-step: update every voxel; return the objective a voxel and the moments for the M-step."""
        evidence, moments = 0.0, None
        for turn, chosen in enumerate(self.colours):
            found = self._expect_voxels(chosen)
            is_last = turn == len(self.colours) - 1
            # Every edge joins two colours: it is counted once, with the colour updated last.
            evidence += found.log_evidence - (0.0 if is_last else found.coupling)
            moments = found.moments if moments is None else moments + found.moments
        assert moments is not None
        return evidence / self.problem.index.size - self._normaliser_a_voxel(), moments

    def maximise(self, moments: Moments, *, with_bias: bool) -> None:
        """M-step: Gaussians, tissue proportions where no prior gives them, then the bias field."""
        problem, state = self.problem, self.state
        state.gaussians = maximise(moments, state.gaussians, problem.parts, problem.constraints)
        if problem.learn_proportions:
            state.log_proportions = proportions(moments, state.log_proportions, problem.parts)
        self.before_bias = None
        if with_bias and self.bias_step >= LEAST_STEP:
            self.before_bias = (state.field, state.fractions.copy())
            found = self._estimate_bias()
            before = np.ones_like(found) if state.field is None else state.field
            state.field = before * (found / before) ** self.bias_step
            self.values = self._corrected()

    def withdraw_bias(self) -> bool:
        """Take the last bias field back and go half as far from now on; False if none was pending."""
        if self.before_bias is None:
            return False
        self.state.field, self.state.fractions[:] = self.before_bias
        self.before_bias, self.bias_step = None, self.bias_step / 2
        self.values = self._corrected()
        return True

    def classify(self) -> tuple[Array, Array, Array]:
        """Posterior (K, N), fractions (K, N) and outlier probability (N,) of all voxels; changes nothing.

        An outlier's share is given back to the tissues as prior and neighbours would have it.
        """
        n_tissues, n_voxels = self.problem.log_prior.shape
        posterior = np.empty((n_tissues, n_voxels), dtype=np.float32)
        fractions = np.empty_like(posterior)
        outlier = np.zeros(n_voxels, dtype=np.float32)

        def classify_chunk(at: slice) -> None:
            joint, weights, _, _ = self._responsibilities(np.arange(at.start, at.stop, dtype=np.int32))
            if self.problem.parts.has_outlier:
                outlier[at] = joint[-1]
            elsewhere = np.exp(weights - weights.max(axis=0))
            elsewhere *= outlier[at] / elsewhere.sum(axis=0)
            posterior[:, at] = self.majority.T @ joint + elsewhere
            fractions[:, at] = self.mix.T @ joint + elsewhere

        _in_threads(classify_chunk, _chunks(n_voxels))
        return posterior, fractions, outlier

    def _expect_voxels(self, chosen: NDArray[np.integer]) -> Expectation:
        found = _in_threads(lambda at: self._expect_chunk(chosen[at]), _chunks(chosen.size))
        return reduce(add, found)

    def _expect_chunk(self, chosen: NDArray[np.integer]) -> Expectation:
        """E-step of some voxels; their fractions are written in place."""
        joint, _, pull, evidence = self._responsibilities(chosen)
        fractions = self.mix.T @ joint
        self.state.fractions[:, self.neighbours.sites[chosen]] = fractions
        coupling = float(np.vdot(fractions, pull)) if pull is not None else 0.0
        return Expectation(_moments(joint, _at(self.values, chosen)), evidence, coupling)

    def _responsibilities(self, chosen: NDArray[np.integer]) -> tuple[Array, Array, Array | None, float]:
        """Responsibilities (M, n), tissues' log-weights and neighbours' pull (K, n), summed log-evidence."""
        problem, state = self.problem, self.state
        weights = _at(problem.log_prior, chosen)
        weights += state.log_proportions.astype(np.float32)[:, None]
        pull = self.neighbours.pull(state.fractions, chosen) if self.neighbours.is_on else None
        if pull is not None:
            weights += pull
        joint = log_densities(_at(self.values, chosen), state.gaussians, problem.parts)
        joint += self.mix @ weights
        top = joint.max(axis=0)
        joint -= top
        np.exp(joint, out=joint)
        total = joint.sum(axis=0)
        joint /= total
        return joint, weights, pull, float((top + np.log(total)).sum(dtype=np.float64))

    def _estimate_bias(self) -> NDArray[np.float64]:
        """Estimate each channel's field from what the present fractions predict."""
        problem, gaussians = self.problem, self.state.gaussians
        fractions = _at(self.state.fractions, self.neighbours.sites)
        fields = []
        for channel, observed in enumerate(problem.observed):
            means = gaussians.means[:, channel].astype(np.float32)
            precisions = (1 / gaussians.covariances[:, channel, channel]).astype(np.float32)
            fields.append(
                estimate_field(
                    problem.grid,
                    problem.index,
                    observed,
                    means @ fractions,
                    precisions @ fractions,
                    sigma_mm=problem.bias_sigma_mm,
                    spacing_mm=problem.spacing_mm,
                )
            )
        return np.stack(fields)

    def _corrected(self) -> Array:
        field, problem = self.state.field, self.problem
        if field is None:
            return problem.observed
        at_voxels = [problem.grid.interpolate(one).reshape(-1)[problem.index] for one in field]
        return np.asarray(problem.observed / np.stack(at_voxels), dtype=np.float32)

    def _log_normaliser(self) -> float:
        """Mean over voxels of the log of all components' summed prior weights, where priors give them."""
        problem = self.problem
        if problem.learn_proportions:
            return 0.0
        offset = problem.parts.offset.astype(np.float32)[:, None]
        sums = _in_threads(
            lambda at: float(
                np.log(np.exp(self.mix @ problem.log_prior[:, at] + offset).sum(axis=0)).sum(dtype=np.float64)
            ),
            _chunks(problem.index.size),
        )
        return sum(sums) / problem.index.size

    def _normaliser_a_voxel(self) -> float:
        if self.problem.learn_proportions:
            return log_normaliser(self.state.log_proportions, self.problem.parts)
        return self.normaliser


def _at(maps: Array, chosen: NDArray[np.integer]) -> Array:
    """Pick voxels (n,) of maps (K, N): mode="clip" spares numpy a checked copy; none is out of range."""
    return np.take(maps, chosen, axis=1, mode="clip")


def _moments(responsibilities: Array, values: Array) -> Moments:
    n = responsibilities.sum(axis=1, dtype=np.float64)
    first = (responsibilities @ values.T).astype(float)
    channels = len(values)
    second = np.empty((len(n), channels, channels))
    for a in range(channels):
        for b in range(a + 1):
            second[:, a, b] = second[:, b, a] = responsibilities @ (values[a] * values[b])
    return Moments(n, first, second)


def _chunks(size: int) -> Iterator[slice]:
    for start in range(0, max(size, 1), CHUNK_VOXELS):
        yield slice(start, min(start + CHUNK_VOXELS, size))


def _in_threads(work: Callable[[slice], T], chunks: Iterator[slice]) -> list[T]:
    """Run over chunks on the cores there are; results keep the chunks' order, so sums do too."""
    with ThreadPoolExecutor(max_workers=min(4, available_cores())) as pool:
        return list(pool.map(work, chunks))
