"""What a pretraining came to, in plain values and in words."""

from typing import Any

from medunsup.cohort.encoders.folder import PAGE, EncoderFolder
from medunsup.cohort.encoders.manifest import EncoderManifest
from medunsup.cohort.training.select import left_out_words
from medunsup.metrics.representation import TEMPERATURE

TIMES = "×"
SCORE, KNN = "rankme", ("knn_accuracy", "knn_k")


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
        "kept_epoch": about.kept_epoch,
        "kept": about.kept,
        "report": str(made.path / PAGE) if PAGE in about.sha256 else None,
        "verdict": about.verdict,
    }


def line(made: EncoderFolder) -> str:
    """Say in one line what was pretrained: "simclr of cnn in 2D, 128 features, from 60 T1w scans"."""
    return titled(made.manifest)


def titled(about: EncoderManifest) -> str:
    """Say in one line what an encoder's card describes."""
    network = about.network
    kind = about.preprocessing.kind
    what = f"{about.preprocessing.contrast} scans" if kind == "scans" else _sized(about.preprocessing.shape)
    encoder = f"{network.name} in {network.dims}D, {network.n_features} features"
    return f"{about.method} of {encoder}, from {about.scans['train']} {what}"


def remarks(made: EncoderFolder) -> list[str]:
    """Say whether features have collapsed, who was left out, how the last epoch ended, and what is kept."""
    about = made.manifest
    figures = ", ".join(
        f"{name} {value:.4g}" for name, value in about.last.items() if value is not None and name not in KNN
    )
    said = (
        about.verdict or "No collapse was seen.",
        left_out_words(about.left_out),
        f"Last epoch: {figures}.",
        neighbours(about),
        kept_words(about),
    )
    return [text for text in said if text]


def neighbours(about: EncoderManifest) -> str:
    """Say how often neighbours vote for the right label; nothing where no labels lie beside the images."""
    accuracy, k = (about.kept.get(name) for name in KNN)
    if accuracy is None or k is None:
        return ""
    return (
        f"k-NN accuracy {accuracy:.3f} (k = {k:.0f}, temperature {TEMPERATURE:g}); labels were looked at for "
        "this alone."
    )


def kept_words(about: EncoderManifest) -> str:
    """Say which epoch's weights are kept and why; nothing where they are the last by default."""
    kept, last = about.kept.get(SCORE), about.last.get(SCORE)
    if about.parameters.get("keep") != "label_free" or kept is None or last is None:
        return ""
    if about.kept_epoch == about.epochs:
        return f"Kept: the last epoch, whose RankMe of {kept:.4g} is the highest after the warm-up."
    where = f"Kept: epoch {about.kept_epoch} of {about.epochs}, whose RankMe of {kept:.4g} is the highest"
    return f"{where} after the warm-up; the last epoch has {last:.4g}."


def _sized(shape: tuple[int, int, int, int]) -> str:
    channels, *sides = shape
    is_flat = sides[2] == 1
    size = f" {TIMES} ".join(str(side) for side in (sides[:2] if is_flat else sides))
    colours = f" of {channels} channels" if channels > 1 else ""
    return f"{'images' if is_flat else 'volumes'} of {size}{colours}"
