"""Which card shows which result: told by the names of its classes, since some lie above the report."""

from collections.abc import Callable
from typing import Any

from medunsup.report.notebook import of_folders, of_scans, of_tables
from medunsup.report.notebook.card import Card, draw, worded

CARDS: dict[str, Callable[[Any], Card]] = {
    "Volume": of_scans.of_volume,
    "TissueResult": of_scans.of_tissues,
    "AnomalyResult": of_scans.of_anomalies,
    "AttentionResult": of_scans.of_attention,
    "PatchClusters": of_scans.of_patches,
    "Prediction": of_scans.of_prediction,
    "ClassPrediction": of_scans.of_class,
    "CohortResult": of_tables.of_cohort,
    "ClusterResult": of_tables.of_clusters,
    "ReductionResult": of_tables.of_reduction,
    "ProbeResult": of_tables.of_probe,
    "Evaluation": of_tables.of_evaluation,
    "FeatureTable": of_tables.of_features,
    "ImagePredictions": of_tables.of_images,
    "SendResult": of_tables.of_sent,
    "Calibration": of_tables.of_calibration,
    "ModelFolder": of_folders.of_model,
    "EncoderFolder": of_folders.of_encoder,
    "FinetunedFolder": of_folders.of_network,
    "ExportedFolder": of_folders.of_export,
    "ExportedBundle": of_folders.of_export,
}


def html_of(result: object) -> str | None:
    """Return the card of a result as HTML; None, so that a notebook prints it, where there is no card."""
    card = _card_of(result)
    return None if card is None else draw(card)


def words_of(result: object) -> str | None:
    """Return title, verdict and numbers of the card in one line; None where there is no card."""
    card = _card_of(result)
    if card is None:
        return None
    facts = (f"{name} {worded(value)}" for name, value in card.facts.items())
    return "; ".join(part for part in (card.title, card.subtitle, card.verdict, *facts) if part)


def _card_of(result: object) -> Card | None:
    for kind in type(result).__mro__:
        if kind.__name__ in CARDS:
            return CARDS[kind.__name__](result)
    return None
