"""What finetune.json says, in the words of the page."""

from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.report.base.text import Shown as Tone
from medunsup.workflows.finetune.few_labels.words import facts as facts_of_few

TONES: dict[str, Tone] = {"better": "pass", "worse": "fail", "no difference": "partial"}


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
            key.replace("_", " ").capitalize(): str(one)
            for key, one in (few["parameters"] if few else manifest.parameters).items()
        },
    }


def kept_sentence(manifest: FinetuneManifest) -> str:
    """Say which network of a method for few labels is kept, and why; nothing of other fine-tunings."""
    return "" if manifest.few_labels is None else str(manifest.few_labels["why"])
