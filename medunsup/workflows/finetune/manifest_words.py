"""What finetune.json says, in the words of the page."""

from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.report.base.text import Shown as Tone

TONES: dict[str, Tone] = {"better": "pass", "worse": "fail", "no difference": "partial"}


def tone_of(verdict: str) -> Tone:
    """Return the colour that a verdict is shown in."""
    return next((one for start, one in TONES.items() if verdict.startswith(start)), "check")


def facts(manifest: FinetuneManifest) -> dict[str, str]:
    """List how the network was made: encoder, scans, grid, parameters."""
    encoder, counts = manifest.encoder, manifest.scans
    contrast = f", {manifest.contrast}" if manifest.contrast else ""
    told = f"{counts['train']} to learn from, {counts['test']} to test on{contrast}"
    grid = {"Template grid": f"{manifest.spacing_mm:g} mm"} if manifest.spacing_mm else {}
    return {
        "Encoder": f"{encoder['encoder']} in {encoder['dims']}D, {manifest.pretraining}",
        "Scans" if grid else "Images": told,
        **grid,
        **{key.replace("_", " ").capitalize(): str(one) for key, one in manifest.parameters.items()},
    }
