"""Cards of what lies on disk: models, encoders, networks and exports.

Models and exports are made by workflows, which lie above the report; so they come untyped.
"""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from medunsup.cohort.encoders.folder import EncoderFolder
from medunsup.cohort.finetuned.folder import FinetunedFolder
from medunsup.report.notebook.card import Card


def of_model(model: Any) -> Card:
    """Show what a model of healthy scans is and knows."""
    about = model.about
    facts = {
        "model": f"{about.model} with {about.score}",
        "contrast": about.contrast,
        "learned from": f"{about.n_train} scans",
        "calibrated on": f"{about.n_calibration} scans",
        "smallest p-value": f"{1 / (about.n_calibration + 1):.3g}" if about.n_calibration else "none",
    }
    return Card(Path(model.path).name, "model of healthy scans", facts=facts)


def of_encoder(folder: EncoderFolder) -> Card:
    """Show how an encoder was pretrained and whether it collapsed."""
    about = folder.manifest
    facts = {
        "method": about.method,
        "encoder": f"{about.network.name}, {about.network.dims}D",
        "seen": ", ".join(f"{n} {split}" for split, n in about.scans.items()),
        "epochs": about.epochs,
    }
    facts |= {name: value for name, value in list(about.last.items())[:6] if value is not None}
    verdict, tone = (about.verdict, "bad") if about.verdict else ("No collapse was seen", "good")
    return Card(folder.path.name, "pretrained encoder", verdict, tone, Markup(), facts)


def of_network(folder: FinetunedFolder) -> Card:
    """Show what a fine-tuned network came to on its test scans."""
    about = folder.manifest
    facts = {
        "task": about.task,
        "pretraining": about.pretraining,
        "labels": ", ".join(label.name for label in folder.labels),
        "subjects": ", ".join(f"{n} {split}" for split, n in about.scans.items()),
        "steps": about.steps,
    }
    return Card(
        folder.path.name,
        "fine-tuned network",
        about.verdict,
        "plain",
        Markup(),
        facts,
        sentences=about.remarks,
    )


def of_export(folder: Any) -> Card:
    """Show what was written for another library."""
    known = ("network", "task", "shape", "difference")
    facts = {name: getattr(folder, name) for name in known if hasattr(folder, name)}
    return Card(Path(folder.path).name, "exported", facts=facts)
