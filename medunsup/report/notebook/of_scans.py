"""Cards of one scan: the scan itself, its tissues, what is unlike healthy ones, maps, predictions."""

from typing import Any

import numpy as np

from medunsup.anomaly.result import AnomalyResult
from medunsup.cohort.clusters.patches import PatchClusters
from medunsup.cohort.encoders.attended import AttentionResult
from medunsup.core.volume import Volume
from medunsup.report.base import text
from medunsup.report.base.outline import FOUND
from medunsup.report.detect.words import verdict as anomaly_verdict
from medunsup.report.notebook.card import Card
from medunsup.report.notebook.pictures import inside, mosaic
from medunsup.supervised.class_prediction import ClassPrediction
from medunsup.supervised.prediction import Prediction
from medunsup.tissue.result import TissueResult

TONE = {"pass": "good", "partial": "plain", "check": "look", "fail": "bad"}


def of_volume(volume: Volume) -> Card:
    """Show the voxels in three planes, and between what values they lie."""
    shape, spacing = (" × ".join(f"{n:.4g}" for n in each) for each in (volume.shape, volume.spacing_mm))
    facts: dict[str, Any] = {"voxels": f"{shape}, {spacing} mm"}
    if volume.data.size:
        finite = volume.data[np.isfinite(volume.data)].astype(np.float32)
        facts["values"] = f"{finite.min():.4g} to {finite.max():.4g}" if finite.size else "none is finite"
    title = "Volume" if volume.source is None else text.scan_name(volume.source)
    return Card(title, volume.kind, picture=mosaic(volume, inside(volume)), facts=facts)


def of_tissues(result: TissueResult) -> Card:
    """Show the outlines of the tissues, the verdict with its reasons, the volumes."""
    rows = [
        (
            one.label.name,
            f"{one.from_fractions_mm3 / 1000:.1f} ml",
            f"{100 * one.fraction_of_brain_mask:.0f} %",
        )
        for one in result.tissues
    ]
    return Card(
        text.scan_name(result.image.source),
        text.contrasts_of(result.record.steps),
        text.VERDICTS[result.quality.verdict].title,
        TONE[result.quality.verdict],
        mosaic(
            result.image,
            result.brain_mask.data.astype(bool),
            labels=result.labels.data,
            table=tuple(one.label for one in result.tissues),
        ),
        head=("tissue", "volume", "of the brain mask"),
        rows=rows,
        sentences=result.quality.reasons,
    )


def of_anomalies(result: AnomalyResult) -> Card:
    """Show what was marked, the verdict, the findings; of a scan out of distribution why."""
    said = anomaly_verdict(result)
    rows = [
        (one.index, f"{one.volume_mm3 / 1000:.2f} ml", one.side, one.place, one.tissue)
        for one in result.findings
    ]
    return Card(
        text.scan_name(result.image.source),
        f"{result.contrast}, {result.model.model} with {result.model.score} ({result.model.folder})",
        said.words.title,
        TONE[said.shown],
        mosaic(
            result.image,
            result.brain.data.astype(bool),
            labels=np.where(result.mask.data, FOUND.index, 0).astype(np.uint8),
            table=(FOUND,),
        ),
        {} if result.flags else {"p-value": f"{result.scan.p_value:.3g}"},
        ("finding", "volume", "side", "place", "tissue"),
        rows,
        [*filter(None, [result.note]), *said.reasons, *said.remarks],
    )


def of_patches(result: PatchClusters) -> Card:
    """Show the clusters of voxels over the scan, the darkest first, and their volumes."""
    rows = [(one.label.name, f"{one.ml:.1f} ml", f"{100 * one.share:.0f} %") for one in result.clusters]
    return Card(
        text.scan_name(result.image.source),
        f"{len(result.clusters)} clusters of voxels by {result.made.method}; no tissues, no findings",
        result.verdict or "",
        "plain",
        mosaic(
            result.image,
            result.brain.data.astype(bool),
            labels=result.labels.data,
            table=tuple(one.label for one in result.clusters),
        ),
        head=("cluster", "volume", "of the mask"),
        rows=rows,
        sentences=result.remarks,
    )


def of_attention(result: AttentionResult) -> Card:
    """Show the main map over the scan."""
    return Card(
        text.scan_name(result.image.source),
        f"{result.kind}: {result.main} of {', '.join(result.maps)}",
        picture=mosaic(result.image, result.brain.data.astype(bool), heat=result.maps[result.main].data),
        sentences=["A map shows where the network looks. It does not show disease.", *result.remarks],
    )


def of_prediction(result: Prediction) -> Card:
    """Show the outlines of the labels and their volumes."""
    return Card(
        text.scan_name(result.image.source),
        f"{result.contrast}, {result.network.folder}; nobody has checked it",
        "Unlike the scans that the network was fine-tuned on" if result.flags else "",
        "look" if result.flags else "plain",
        mosaic(
            result.image,
            result.brain.data.astype(bool),
            labels=result.labels.data.astype(np.uint8),
            table=tuple(one.label for one in result.volumes),
        ),
        head=("label", "volume"),
        rows=[(one.label.name, f"{one.volume_ml:.1f} ml") for one in result.volumes],
        sentences=[*(flag.sentence for flag in result.flags), *result.remarks],
    )


def of_class(result: ClassPrediction) -> Card:
    """Show the scan and how likely each class is."""
    return Card(
        text.scan_name(result.image.source),
        f"{result.contrast}, {result.network.folder}; nobody has checked it",
        f"Likeliest class: {result.predicted}",
        "look" if result.flags else "plain",
        mosaic(result.image, result.brain.data.astype(bool)),
        head=("class", "probability"),
        rows=[(name, f"{share:.2f}") for name, share in result.probabilities.items()],
        sentences=[*(flag.sentence for flag in result.flags), *result.remarks],
    )
