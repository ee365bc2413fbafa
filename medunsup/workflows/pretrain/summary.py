"""What a pretraining came to, in plain values and in words."""

from typing import Any

from medunsup.cohort.encoders.folder import EncoderFolder
from medunsup.cohort.training.select import left_out_words

TIMES = "×"


def pretrained_facts(made: EncoderFolder) -> dict[str, Any]:
    """Gather for --json: folder, method, network, how its inputs were prepared, scans by split, figures."""
    about = made.manifest
    return {
        "encoder": str(made.path),
        "method": about.method,
        "network": about.network.model_dump(),
        "preprocessing": about.preprocessing.model_dump(mode="json"),
        "scans": about.scans,
        "left_out": about.left_out,
        "epochs": about.epochs,
        "last": about.last,
        "verdict": about.verdict,
    }


def line(made: EncoderFolder) -> str:
    """Say in one line what was pretrained: "simclr of cnn in 2D, 128 features, from 60 T1w scans"."""
    about, network = made.manifest, made.manifest.network
    kind = about.preprocessing.kind
    what = f"{about.preprocessing.contrast} scans" if kind == "scans" else _sized(about.preprocessing.shape)
    encoder = f"{network.name} in {network.dims}D, {network.n_features} features"
    return f"{about.method} of {encoder}, from {about.scans['train']} {what}"


def remarks(made: EncoderFolder) -> list[str]:
    """Say who was left out, how the last epoch ended, and whether the features have collapsed."""
    last = made.manifest.last
    figures = ", ".join(f"{name} {value:.4g}" for name, value in last.items() if value is not None)
    said = (left_out_words(made.manifest.left_out), f"Last epoch: {figures}.", made.manifest.verdict)
    return [text for text in said if text]


def _sized(shape: tuple[int, int, int, int]) -> str:
    channels, height, width, _ = shape
    colours = f" of {channels} channels" if channels > 1 else ""
    return f"images of {height} {TIMES} {width}{colours}"
