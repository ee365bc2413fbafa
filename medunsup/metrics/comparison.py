"""A method beside its baselines over many scans: means with intervals, and what may be said of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.metrics.bootstrap import Comparison, Estimate, compare, mean_interval
from medunsup.metrics.case_figures import CaseFigures
from medunsup.metrics.confounding import Confounder, confounding
from medunsup.metrics.froc import FrocCurve
from medunsup.metrics.pooled_froc import pooled_froc
from medunsup.metrics.scan_level import scan_auroc

MODEL = "model"
PREVALENCE = "prevalence"
FIGURES = ("average_precision", "auroc", "aupro", "oracle_dice")
AT_THRESHOLD = ("dice", "precision", "recall")


@dataclass(frozen=True)
class MethodFigures:
    """Figures of one method over all cases.

    Attributes
    ----------
    name : str
        Name of the method; 'model' for the model.
    figures : dict of str to Estimate
        Means over subjects with lesions; empty for what makes no map. Those at the threshold are the model's
        alone.
    froc : FrocCurve or None
        Free-response curve over all scans whose truth is known.
    scan_auroc : Estimate or None
        How well its scan-level score tells patients from healthy people, if both are there.
    model_against : Comparison or None
        The model's average precision less this method's, on the same subjects; None for the model itself.
    """

    name: str
    figures: dict[str, Estimate]
    froc: FrocCurve | None
    scan_auroc: Estimate | None
    model_against: Comparison | None

    @property
    def makes_map(self) -> bool:
        """Whether there are figures of voxels."""
        return bool(self.figures)


@dataclass(frozen=True)
class StepEffect:
    """What a step of post-processing changed.

    Attributes
    ----------
    name : str
        The step.
    average_precision : Estimate
        Of the model's map after it.
    effect : Comparison or None
        Against the map before it.
    """

    name: str
    average_precision: Estimate
    effect: Comparison | None


@dataclass(frozen=True)
class Figures:
    """Figures of the model and each baseline over all cases.

    Attributes
    ----------
    methods : tuple of MethodFigures
        One for each method, the model first.
    steps : tuple of StepEffect
        What each step of post-processing changed.
    confounders : tuple of Confounder
        Facts that set healthy scans and patients apart.
    prevalence : Estimate
        Share of lesion voxels, which is the average precision that chance reaches.
    of_known : Estimate or None
        The model's average precision without the out-of-distribution scans; None if all or none of those with
        lesions are.
    """

    methods: tuple[MethodFigures, ...]
    steps: tuple[StepEffect, ...]
    confounders: tuple[Confounder, ...]
    prevalence: Estimate
    of_known: Estimate | None = None

    @property
    def model(self) -> MethodFigures:
        """The model's own row."""
        return self.methods[0]

    @property
    def baselines(self) -> tuple[MethodFigures, ...]:
        """Baselines with a map, the best average precision first; chance is none."""
        found = [
            one
            for one in self.methods[1:]
            if one.name != PREVALENCE
            and one.makes_map
            and np.isfinite(one.figures["average_precision"].value)
        ]
        return tuple(sorted(found, key=lambda one: -one.figures["average_precision"].value))


def gather(cases: Sequence[CaseFigures]) -> Figures:
    """Lay the figures of all scans together; scans of one subject are averaged first."""
    ill = [case for case in cases if case.has_lesions]
    names = list(dict.fromkeys(name for case in cases for name in case.scan_scores))
    subjects = [case.subject for case in ill]
    prevalence = [case.figure(MODEL, "prevalence") for case in ill]
    return Figures(
        methods=tuple(_method(name, cases, ill) for name in names),
        steps=_steps(ill),
        confounders=tuple(_confounders(cases)),
        prevalence=mean_interval(prevalence, subjects=subjects),
        of_known=_of_known(ill),
    )


def _method(name: str, cases: Sequence[CaseFigures], ill: Sequence[CaseFigures]) -> MethodFigures:
    subjects = [case.subject for case in ill]
    columns = {figure: [case.figure(name, figure) for case in ill] for figure in FIGURES}
    if name == MODEL:
        columns |= {key: [case.at_threshold[key] for case in ill] for key in AT_THRESHOLD}
    has_map = any(name in case.figures for case in ill)
    own = [case.figure(MODEL, "average_precision") for case in ill]
    curves = [case.froc[name] for case in cases if name in case.froc]
    against = None
    if has_map and name != MODEL:
        against = compare(own, columns["average_precision"], subjects=subjects)
    return MethodFigures(
        name=name,
        figures={key: mean_interval(value, subjects=subjects) for key, value in columns.items()}
        if has_map
        else {},
        froc=pooled_froc(curves) if curves else None,
        scan_auroc=_scan_auroc(name, cases),
        model_against=against,
    )


def _of_known(ill: Sequence[CaseFigures]) -> Estimate | None:
    known = [case for case in ill if not case.flags]
    if not 0 < len(known) < len(ill):
        return None
    precision = [case.figure(MODEL, "average_precision") for case in known]
    return mean_interval(precision, subjects=[case.subject for case in known])


def _scan_auroc(name: str, cases: Sequence[CaseFigures]) -> Estimate | None:
    groups: dict[bool, dict[str, list[float]]] = {False: defaultdict(list), True: defaultdict(list)}
    for case in cases:
        groups[case.is_ill][case.subject].append(case.scan_scores[name])
    healthy, patients = (
        [float(np.mean(scores)) for scores in groups[is_ill].values()] for is_ill in (False, True)
    )
    return scan_auroc(healthy, patients) if healthy and patients else None


def _steps(ill: Sequence[CaseFigures]) -> tuple[StepEffect, ...]:
    subjects = [case.subject for case in ill]
    effects: list[StepEffect] = []
    before = None
    for name in ill[0].steps if ill else ():
        after = [case.steps[name] for case in ill]
        effect = None if before is None else compare(after, before, subjects=subjects)
        effects.append(StepEffect(name, mean_interval(after, subjects=subjects), effect))
        before = after
    return tuple(effects)


def _confounders(cases: Sequence[CaseFigures]) -> list[Confounder]:
    groups = [
        [{"site": case.site, **case.facts} for case in cases if case.is_ill == is_ill]
        for is_ill in (False, True)
    ]
    return confounding(*groups) if all(groups) else []
