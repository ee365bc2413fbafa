"""What finetune.json says, in the words of the page."""

from collections.abc import Mapping
from typing import Any

from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.report.base.text import Shown as Tone
from medunsup.workflows.finetune.few_labels.words import facts as facts_of_few

TONES: dict[str, Tone] = {"better": "pass", "worse": "fail", "no difference": "partial"}


WITHOUT = {"patch": "whole images"}  # what is meant by a parameter that is not given


def plain(value: Any) -> str:
    """Write a parameter as a reader does: "yes", "0.003", "32, 32", "channels 8, levels 3"."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {plain(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def tone_of(verdict: str) -> Tone:
    """Return the colour that a verdict is shown in."""
    return next((one for start, one in TONES.items() if verdict.startswith(start)), "check")


def facts(manifest: FinetuneManifest) -> dict[str, str]:
    """List how the network was made: encoder, scans, grid, parameters."""
    encoder, counts, few = manifest.encoder, manifest.scans, manifest.few_labels
    contrast = f", {manifest.contrast}" if manifest.contrast else ""
    told = f"{counts['train']} to learn from, {counts['test']} to test on{contrast}"
    grid = {"Template grid": f"{manifest.spacing_mm:g} mm"} if manifest.spacing_mm else {}
    return {
        "Encoder": f"{encoder['encoder']} in {encoder['dims']}D, {manifest.pretraining}",
        "Scans" if grid else "Images": told,
        **grid,
        **(facts_of_few(few) if few else {}),
        **{
            key.replace("_", " ").capitalize(): WITHOUT.get(key, "none") if one is None else plain(one)
            for key, one in (few["parameters"] if few else manifest.parameters).items()
        },
    }


def kept_sentence(manifest: FinetuneManifest) -> str:
    """Say which network of a method for few labels is kept, and why; nothing of other fine-tunings."""
    return "" if manifest.few_labels is None else str(manifest.few_labels["why"])
