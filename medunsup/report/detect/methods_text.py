"""The methods paragraph of one scan's anomalies: written from the record, so it can never say more."""

from typing import Any

from medunsup.anomaly.result import AnomalyResult
from medunsup.core.record import Record, Step
from medunsup.core.registry import methods
from medunsup.core.version import __version__
from medunsup.report.base.methods_text import REGISTRATION, MethodsText, say_input


def methods_text(result: AnomalyResult) -> MethodsText:
    """Write the paragraph for one result from its preparation, its model's card and its score's."""
    text, model = MethodsText(), result.model
    text.say(
        f"The scan was compared with {model.n_train} healthy {model.contrast} scans with medunsup "
        f"{__version__}; no lesion was ever shown to the model"
    )
    say_input(text, result.image)
    prepared = {step.name: step for step in preparation(result).steps}
    if "brain mask" in prepared:
        _say_registration(text, prepared["brain mask"])
    if "template grid" in prepared:
        spacing_mm = prepared["template grid"].parameters.get("spacing_mm")
        text.say(
            f"It was resampled to a grid of {spacing_mm:g} mm in the space of that template, and its "
            "intensities were scaled so that healthy brains agree"
        )
    _say_model(text, result)
    _say_calibration(text, result)
    return text


def preparation(result: AnomalyResult) -> Record:
    """Return the steps before scoring, which come as plain values."""
    steps: list[dict[str, Any]] = result.details.get("steps", [])
    return Record([Step(**step) for step in steps])


def _say_registration(text: MethodsText, step: Step) -> None:
    if step.parameters.get("given"):
        text.say("The brain mask was given")
    elif step.findings.get("on_template") or step.findings.get("already_stripped"):
        text.say("The scan came without a skull, so its own region served as the brain mask")
    else:
        text.say("The brain mask was found in the scan")
    if step.findings.get("on_template"):
        text.say("It lay on the MNI152 template already, and was not moved", "mni")
    else:
        text.say("The MNI152 template was registered to it by an affine transform", "mni", *REGISTRATION)


def _say_model(text: MethodsText, result: AnomalyResult) -> None:
    """Name model and score with their papers and limits, as their cards do."""
    for area, what, name in (
        ("anomaly", "appearance of healthy scans was modelled by", result.model.model),
        ("score", "anomaly score is", result.model.score),
    ):
        card = next((card for card in methods(area) if card.name == name), None)
        if card is None:
            text.say(f"The {what} “{name}”")
            continue
        text.say(f"The {what} “{name}” ({card.summary.rstrip('.')})", card.paper)
        text.say(f"Its known limit: {card.limit.rstrip('.')}")
    if result.model.steps:
        text.say(f"The map was then post-processed: {', '.join(result.model.steps)}")


def _say_calibration(text: MethodsText, result: AnomalyResult) -> None:
    n = result.model.n_calibration
    text.say(
        f"Thresholds and p-values come from {n} healthy scans that the model had not seen; the p-value is "
        "conformal: it holds if this scan, were it healthy, could be exchanged for any of them",
        "conformal",
    )
    text.say(
        "Findings are connected components above the threshold at which a healthy scan shows "
        f"{result.fp_per_scan:g} on average"
    )
