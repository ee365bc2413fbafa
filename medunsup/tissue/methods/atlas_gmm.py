"""The default: mixture, bias field, random field, partial volume and atlas priors in one EM."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.tissue.base import Array, TissueInput, components_of
from medunsup.tissue.em.bias_field import CoarseGrid
from medunsup.tissue.em.constraints import Constraints
from medunsup.tissue.em.fit import Problem, Solver, State, run
from medunsup.tissue.em.gaussian_mixture import Gaussians, Layout, layout, shared_by_neighbours
from medunsup.tissue.em.initialisation import start_from_clusters, start_from_priors
from medunsup.tissue.em.markov_random_field import RandomField
from medunsup.tissue.em.sampling import VoxelGrid, check_intensities, on_box, slabs, thinned, too_bright
from medunsup.tissue.entropy import normalized_entropy
from medunsup.tissue.priors import log_weights

DARKEST_PERCENT = 1.0
# Where the template's maps are far off, as in a shrunken brain, Gaussians started from them stay too wide. A
# start from clusters wins if it soon explains a voxel so much better, in nats; on scans that the maps fit it
# gains at most half of that, and labels worse.
OTHER_GAIN, OTHER_ITER = 0.03, 12
# Without priors nothing but intensity says where a class ends: partial volume and neighbours then draw the
# classes together until one is empty, so the fit leaves neighbours out and lets few voxels be shared.
FREE_POOLING = 0.15
FREE_SHARED = 0.2
FREE_OUTLIER = 1e-3
THIN_MM = 2.0  # up to here few enough voxels are shared for the fit to find how wide grey matter is


class AtlasGmmConfig(Config):
    """Parameters of `atlas_gmm`; intensities are scaled to [0, 1] inside the mask."""

    use_priors: bool = Field(
        True, description="use the template's tissue maps, registered to the scan, if there are any"
    )
    csf_trust: float = Field(
        0.7, ge=0, le=1, description="exponent of the prior of CSF against GM and WM; 0 ignores it"
    )
    gm_wm_trust: float = Field(
        0.4, ge=0, le=1, description="exponent of the prior of GM against WM; 0 ignores it"
    )
    deep_wm: float = Field(
        3.0,
        ge=0,
        description="in labelling, `gm_wm_trust` counts 1 + this times where the prior is surest of WM",
    )
    prior_blur_mm: float = Field(1.0, ge=0, description="Gaussian over the prior maps, sigma in mm")
    prior_floor: float = Field(
        0.01,
        gt=0,
        lt=0.3,
        description="least prior probability of each tissue, so that none is ruled out anywhere",
    )
    coupling: float = Field(
        0.3,
        ge=0,
        le=2,
        description="strength of the Markov random field between nearest neighbours; 0 leaves it out",
    )
    shared_gm_wm: float = Field(
        2.0,
        ge=0,
        description="prior weight of partial volume voxels of GM and WM, relative to a pure tissue; 0 "
        "models none",
    )
    shared_other: float = Field(
        1.0,
        ge=0,
        description="prior weight of partial volume voxels of other neighbours in intensity; 0 models none",
    )
    shared_levels: int = Field(
        5, ge=1, le=15, description="partial volume fractions modelled between two tissues"
    )
    outlier_weight: float = Field(
        1e-2,
        ge=0,
        lt=1,
        description="prior weight of voxels of no tissue, relative to a pure tissue; 0 models none",
    )
    bias_sigma_mm: float = Field(
        34.0, ge=0, description="smoothness of the bias field, sigma in mm; 0 fits none"
    )
    csf_gap: float = Field(
        0.9,
        ge=0,
        le=1.5,
        description="T1w: least distance of the means of GM and CSF, over that of WM and GM; 0 leaves CSF "
        "free",
    )
    thick_gm_sd: float = Field(
        2.0, ge=1, description="T1w with slices over 2 mm: largest sd of GM, in units of WM's sd"
    )
    min_sd: float = Field(
        0.02, gt=0, description="least sd of a tissue, where intensities are scaled to [0, 1]"
    )
    max_iter: int = Field(40, ge=1, description="largest number of iterations of the fit")
    tolerance: float = Field(
        1e-4, gt=0, description="rise of the objective, in nats a voxel, below which the fit stops"
    )
    final_iter: int = Field(5, ge=1, description="passes over all voxels with the fitted model")


@register(
    "atlas_gmm",
    family="mixture",
    dims=(2, 3),
    paper="Ashburner & Friston, Unified segmentation, NeuroImage 26 (2005) 839-851, here without warping; "
    "Van Leemput et al., Automated model-based tissue classification of MR images of the brain, IEEE TMI 18 "
    "(1999); Zhang et al., Segmentation of brain MR images through a hidden Markov random field model, "
    "IEEE TMI 20 (2001)",
    limit="Affine priors misplace ventricles that are far larger or smaller than the template's.",
)
class AtlasGmm:
    """Gaussian mixture with partial volume, bias field, random field and atlas priors, fitted by EM.

    The fit runs on a grid of about 2 mm, where a scan of any resolution costs the same; the fitted model
    then labels every voxel, and there trusts the prior more deep in white matter: lesions, grey in T1w, keep
    their tissue without widening its Gaussian. What lies beyond the scale of a T1w scan, such as bright
    lesions, is left out of the fit. Without priors the start is a k-means clustering and proportions are
    learned.

    Parameters
    ----------
    config : AtlasGmmConfig, optional
        Parameters of the method, listed by `help(AtlasGmm.Config)`; the defaults if not given.

    Attributes
    ----------
    posterior_ : ndarray of shape (K, I, J, K'), float32
        Probability of each tissue, in the order of the input's labels; sums to 1 inside the mask, 0 outside.
    fractions_ : ndarray of shape (K, I, J, K'), float32
        Partial volume fraction of each tissue; sums to 1 inside the mask.
    labels_ : ndarray of shape (I, J, K'), uint8
        `Label.index` of the winning tissue (GM 1, WM 2, CSF 3), 0 outside the mask.
    entropy_ : ndarray of shape (I, J, K'), float32
        Normalised entropy of the posterior, in [0, 1].
    bias_field_ : ndarray of shape (C, I, J, K'), float32, or None
        Multiplicative bias field, mean 1 inside the mask; None if none was fitted.
    outlier_ : ndarray of shape (I, J, K'), float32, or None
        Probability of belonging to no tissue; None if that was not modelled.
    components_ : tuple of Component
        The fitted Gaussians, in the units of the intensities given.
    log_likelihood_ : tuple of float
        Mean-field lower bound of the fit in nats a voxel, one value an iteration.
    n_iter_ : int
        Iterations run.
    converged_ : bool
        Whether the tolerance was met.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import TISSUES, AtlasGmm, TissueInput
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (1, 30, 10, 10))
    >>> scan = np.repeat([0.2, 0.5, 0.8], 10)[:, None, None] + noise  # CSF, GM, WM, as in T1w
    >>> mask = np.ones(scan.shape[1:], bool)
    >>> data = TissueInput(scan.astype(np.float32), mask, (2.0, 2.0, 2.0), ("T1w",), TISSUES)
    >>> AtlasGmm().fit(data).labels_[[0, 15, 25], 0, 0].tolist()
    [3, 1, 2]
    """

    Config = AtlasGmmConfig
    method_name: str

    def __init__(self, config: AtlasGmmConfig | None = None) -> None:
        self.config = config or AtlasGmmConfig()

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters used, as plain values."""
        return self.config.model_dump()

    # The largest maps that are seldom needed are laid on the box only when asked for.
    @property
    def posterior_(self) -> Array:
        """Probabilities (K, I, J, K'), each tissue's at every voxel."""
        return on_box(self._posterior, self._mask)

    @property
    def outlier_(self) -> Array | None:
        """Probability (I, J, K) of belonging to no tissue; None if that was not modelled."""
        return on_box(self._outlier, self._mask) if self.config.outlier_weight > 0 else None

    @property
    def bias_field_(self) -> Array | None:
        """Multiplicative field (C, I, J, K); None if none was fitted."""
        return None if self._field is None else self._cells.interpolate_each(self._field)

    def fit(self, data: TissueInput) -> Self:
        """Fit to one scan, and label every voxel of its mask.

        Parameters
        ----------
        data : TissueInput
            The scan.

        Returns
        -------
        AtlasGmm
            This method, fitted.

        Raises
        ------
        InputError
            If the mask holds too few voxels, or an intensity is constant or not finite there.
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="blas"):  # our own threads share the work already
            return self._fit(data)

    def _fit(self, data: TissueInput) -> Self:
        check_intensities(data)
        sparse = thinned(replace(data, mask=data.mask & ~too_bright(data.intensity)))
        observed, log_prior = sparse.data.intensity[:, sparse.data.mask], self._log_prior(sparse.data)
        has_priors = bool(log_prior.any())
        start = self._start(data, observed, log_prior)
        constraints = self._bound(data, observed, start, has_priors=has_priors)
        parts = self._layout(data, constraints.order, has_priors=has_priors)

        def problem_on(grid: VoxelGrid, log_prior: Array, coupling: float) -> Problem:
            index = np.flatnonzero(grid.data.mask).astype(np.int32)
            return Problem(
                observed=grid.data.intensity[:, grid.data.mask],
                log_prior=log_prior,
                index=index,
                grid=grid.cells,
                spacing_mm=data.spacing_mm,
                parts=parts,
                neighbours=RandomField(index, grid.cells.shape, coupling, grid.data.spacing_mm),
                bias_sigma_mm=self.config.bias_sigma_mm,
                constraints=constraints,
                learn_proportions=not has_priors,
            )

        problem = problem_on(sparse, log_prior, self.config.coupling if has_priors else 0.0)
        state = self._run(problem, start, self.config.max_iter)
        if has_priors:
            other = start_from_clusters(observed, data.contrasts, len(data.labels))
            if self._run(problem, other, OTHER_ITER).objective[-1] > state.objective[-1] + OTHER_GAIN:
                state = self._run(problem, other, self.config.max_iter)
        self._begin_maps(data, state)
        for slab in slabs(data, self._halo(data)):
            if slab.data.mask[slab.own].any():
                log_prior = self._log_prior(slab.data, self.config.deep_wm)
                self._label(slab, problem_on(slab, log_prior, self.config.coupling), state)
        self._describe(data, state)
        return self

    def _run(self, problem: Problem, start: Gaussians, max_iter: int) -> State:
        """Iterate from a start until nothing is gained."""
        state = State.at_start(problem, problem.constraints(start))
        return run(problem, state, max_iter=max_iter, tolerance=self.config.tolerance)

    def _halo(self, data: TissueInput) -> int:
        """Voxels along the first axis from which anything reaches: two an iteration, and the priors' blur."""
        return (
            2 * self.config.final_iter + int(np.ceil(4 * self.config.prior_blur_mm / data.spacing_mm[0])) + 1
        )

    def _log_prior(self, data: TissueInput, deep_wm: float = 0.0) -> Array:
        """Return log-priors (K, N) inside the mask, or zeros where proportions are learned instead."""
        if data.priors is None or not self.config.use_priors:
            return np.zeros((len(data.labels), np.count_nonzero(data.mask)), dtype=np.float32)
        return log_weights(
            data.priors,
            data.mask,
            data.spacing_mm,
            csf_trust=self.config.csf_trust,
            gm_wm_trust=self.config.gm_wm_trust,
            blur_mm=self.config.prior_blur_mm,
            floor=self.config.prior_floor,
            deep_wm=deep_wm,
        )

    def _start(self, data: TissueInput, observed: Array, log_prior: Array) -> Gaussians:
        if log_prior.any():
            return start_from_priors(observed, log_prior)
        return start_from_clusters(observed, data.contrasts, len(data.labels))

    def _bound(
        self, data: TissueInput, observed: Array, start: Gaussians, *, has_priors: bool
    ) -> Constraints:
        """Keep classes apart and in order; in T1w also the fluid dark."""
        is_t1w = has_priors and len(data.labels) == 3 and data.contrasts == ("T1w",)
        return Constraints(
            order=np.argsort(start.means[:, 0], kind="stable"),
            min_sd=self.config.min_sd,
            t1w=(0, 1, 2) if is_t1w else None,
            csf_gap=self.config.csf_gap,
            pooling=0.0 if has_priors else FREE_POOLING,
            widest_gm=self.config.thick_gm_sd if round(max(data.spacing_mm), 2) > THIN_MM else np.inf,
            darkest=float(np.percentile(observed[0], DARKEST_PERCENT)),
        )

    def _layout(self, data: TissueInput, order: NDArray[np.intp], *, has_priors: bool) -> Layout:
        """Lay out pure tissues, those shared by neighbours in intensity, and outliers."""
        config, names = self.config, [data.labels[k].abbreviation for k in order]
        most_shared, most_outlier = (np.inf, np.inf) if has_priors else (FREE_SHARED, FREE_OUTLIER)
        gm_wm, other = (min(weight, most_shared) for weight in (config.shared_gm_wm, config.shared_other))
        shared = shared_by_neighbours(names, order.tolist(), gm_wm=gm_wm, other=other)
        outlier_weight = min(config.outlier_weight, most_outlier)
        return layout(len(order), shared, levels=config.shared_levels, outlier_weight=outlier_weight)

    def _begin_maps(self, data: TissueInput, state: State) -> None:
        n_tissues, shape, n_voxels = len(data.labels), data.mask.shape, np.count_nonzero(data.mask)
        self.fractions_ = np.zeros((n_tissues, *shape), dtype=np.float32)
        self.labels_ = np.zeros(shape, dtype=np.uint8)
        self.entropy_ = np.zeros(shape, dtype=np.float32)
        self._posterior = np.empty((n_tissues, n_voxels), dtype=np.float32)
        self._outlier = np.empty(n_voxels, dtype=np.float32)
        self._mask, self._field = data.mask, state.field
        self._cells = CoarseGrid.over(shape, data.spacing_mm, shape)

    def _label(self, slab: VoxelGrid, problem: Problem, state: State) -> None:
        """Let the fitted model label one slab, and fill in its own part of the maps."""
        unheard = problem.neighbours.no_fractions(len(slab.data.labels))
        solver = Solver(problem, State(state.gaussians, unheard, state.log_proportions, state.field))
        for _ in range(self.config.final_iter if problem.neighbours.is_on else 0):
            solver.expect()
        posterior, fractions, outlier = solver.classify()
        del solver, unheard
        mask = slab.data.mask
        first, last = (np.count_nonzero(mask[:n]) for n in (slab.own.start, slab.own.stop))
        self._fill(slab, posterior[:, first:last], fractions[:, first:last], outlier[first:last])

    def _fill(self, slab: VoxelGrid, posterior: Array, fractions: Array, outlier: Array) -> None:
        """Write one slab's own voxels into the maps; voxels come in the order of the mask."""
        indices = np.array([label.index for label in slab.data.labels], dtype=np.uint8)
        mask = self._mask[slab.place]
        self.fractions_[:, slab.place] = on_box(fractions, mask)
        self.labels_[slab.place] = on_box(indices[fractions.argmax(axis=0)], mask)
        self.entropy_[slab.place] = on_box(normalized_entropy(posterior), mask)
        first = np.count_nonzero(self._mask[: slab.place.start])
        self._posterior[:, first : first + outlier.size] = posterior
        self._outlier[first : first + outlier.size] = outlier

    def _describe(self, data: TissueInput, state: State) -> None:
        shares = self._posterior.sum(axis=1, dtype=np.float64)
        sds = np.sqrt(np.diagonal(state.gaussians.covariances, axis1=1, axis2=2))
        self.components_ = components_of(data.labels, shares / shares.sum(), state.gaussians.means, sds)
        self.log_likelihood_ = tuple(state.objective)
        self.n_iter_ = len(state.objective)
        self.converged_ = state.converged
