"""Features of the encoder and of its baselines, and how well each tells the labels apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.folder import EncoderFolder
from medunsup.cohort.encoders.probed import Features, Kind, ProbeFigures, ProbeVerdict, Said
from medunsup.cohort.labelled.read import Labelled
from medunsup.cohort.labelled.splits import draw_labels
from medunsup.core.progress import Stage, Told
from medunsup.metrics.bootstrap import Estimate, least_subjects
from medunsup.metrics.classification import auc, auc_difference, balanced_accuracy, subjects_needed
from medunsup.metrics.probes import Probed, linear_probe, neighbours_probe
from medunsup.workflows.probe.components import Rows, principal_components
from medunsup.workflows.probe.settings import ProbeSettings

BASELINES: tuple[Features, ...] = ("random", "pca")
KINDS: tuple[Kind, ...] = ("linear", "knn")

Scale = Literal["each", "together"]


@dataclass(frozen=True)
class Measured:
    """Figures and verdicts of all shares of the labels."""

    figures: tuple[ProbeFigures, ...]
    verdicts: tuple[ProbeVerdict, ...]


def features_of(encoder: EncoderFolder, labelled: Labelled, told: Told) -> dict[Features, Rows]:
    """Return the features of the encoder, of the same network untrained, and of the voxels."""
    from medunsup.selfsupervised.encode import encode, untrained

    about, scans = encoder.manifest.network, labelled.scans
    own_seed = int(encoder.manifest.parameters.get("seed", 0))
    random = untrained(about.name, about.parameters, dims=about.dims, channels=about.channels, seed=own_seed)
    found: dict[Features, Rows] = {}
    for name, network in (("encoder", encoder.network), ("random", random)):
        told(Stage(f"features of the {name} network" if name == "random" else "features of the encoder"))
        train, test = (
            encode(network, scans[split].values, scans[split].masks) for split in ("train", "test")
        )
        found["encoder" if name == "encoder" else "random"] = Rows(train, test)
    told(Stage("principal components"))
    found["pca"] = principal_components(scans, about.n_features)
    return found


def measure(
    features: Mapping[Features, Rows], labelled: Labelled, settings: ProbeSettings, told: Told
) -> Measured:
    """Probe all features at each share of the labels."""
    figures: list[ProbeFigures] = []
    verdicts = []
    for n, fraction in enumerate(settings.fractions):
        told(Stage(f"probes with {100 * fraction:g} % of the labels", n / len(settings.fractions)))
        draws = list(_draws(labelled, fraction, settings))
        linear: dict[Features, list[Probed]] = {}
        for name, rows in features.items():
            probed = {
                kind: [_probed(kind, name, rows, one, labelled, settings.seed) for one in draws]
                for kind in KINDS
            }
            linear[name] = probed["linear"]
            figures += [_figures(name, kind, fraction, draws, probed[kind], labelled) for kind in KINDS]
        verdicts.append(_verdict(fraction, len(draws[0]), linear, labelled, settings.seed))
    return Measured(tuple(figures), tuple(verdicts))


def _draws(labelled: Labelled, fraction: float, settings: ProbeSettings) -> Iterator[NDArray[np.intp]]:
    """Yield the places of labelled training scans; of all labels there is but one draw."""
    for draw in range(settings.draws if fraction < 1 else 1):
        rng = np.random.default_rng([settings.seed, round(fraction * 10**6), draw])
        yield draw_labels(labelled.subjects("train"), labelled.labels["train"], fraction, rng)


def _probed(
    kind: Kind, name: Features, rows: Rows, chosen: NDArray[np.intp], labelled: Labelled, seed: int
) -> Probed:
    train, labels = rows.train[chosen], labelled.labels["train"][chosen]
    if kind == "knn":
        return neighbours_probe(train, labels, rows.test)
    groups = np.array(labelled.subjects("train"))[chosen]
    scale: Scale = "together" if name == "pca" else "each"
    return linear_probe(train, labels, rows.test, groups=groups, scale=scale, seed=seed)


def _figures(
    name: Features,
    kind: Kind,
    fraction: float,
    draws: Sequence[NDArray[np.intp]],
    probed: Sequence[Probed],
    labelled: Labelled,
) -> ProbeFigures:
    truth = labelled.labels["test"]
    return ProbeFigures(
        features=name,
        probe=kind,
        fraction=fraction,
        n_labels=len(draws[0]),
        auc=tuple(float(auc(one.probabilities, truth)[0]) for one in probed),
        balanced_accuracy=tuple(balanced_accuracy(one.probabilities, truth) for one in probed),
        setting=tuple(one.setting for one in probed),
    )


def _verdict(
    fraction: float, n_labels: int, linear: Mapping[Features, Sequence[Probed]], labelled: Labelled, seed: int
) -> ProbeVerdict:
    truth, said = (
        labelled.labels["test"],
        {name: [one.probabilities for one in found] for name, found in linear.items()},
    )
    means = {name: np.mean([auc(one, truth)[0] for one in said[name]]) for name in BASELINES}
    better = max(BASELINES, key=lambda name: means[name])
    found = auc_difference(said["encoder"], said[better], truth, labelled.subjects("test"), seed=seed)
    return ProbeVerdict(fraction, n_labels, better, found, _said(found), subjects_needed(found))


def _said(found: Estimate) -> Said:
    if found.n < least_subjects(found.confidence) or not found.low * found.high > 0:
        return "no difference seen"
    return "better" if found.low > 0 else "worse"
