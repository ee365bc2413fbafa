"""Whether pretraining methods help on PneumoniaMNIST: linear probes beside a random encoder and PCA.

    python benchmarks/representation.py                                  # every method, five minutes each
    python benchmarks/representation.py --methods simclr rotation --seconds 120
    python benchmarks/representation.py --set batch_size=128             # a parameter of all methods

Each method learns from the 4,708 training images, in as many epochs as fit into the seconds of processor
time by thread; the encoder is `cnn` of at most 300,000 parameters. Labels are those of a share of the
training images, drawn five times; figures are of the official test split. The differences of AUC to the
better baseline come first, with 95 % intervals over test images, then the AUC of linear and k-NN probes (mean
over draws). The data come from MEDUNSUP_DATA (default ../shared/data). Many methods are many looks: one in
twenty lines is called better or worse by chance.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from tissue import DATA

import medunsup
from medunsup.cohort.encoders.folder import EncoderFolder
from medunsup.cohort.encoders.probed import ProbeResult
from medunsup.core.registry import method
from medunsup.io.files.npz import read_npz

IMAGES = DATA / "images_2d" / "pneumoniamnist_reconstructed.npz"
MOST_PARAMETERS = 300_000
MOST_EPOCHS = 200
SPLITS = ("train", "test")
AUGMENTATIONS = {"preset": "strong", "flip": 0.5, "flip_axes": ["J"]}  # chosen on validation images


def clock() -> float:
    """Seconds of processor time by thread: the time that idle cores would have taken, at least."""
    return time.process_time() / torch.get_num_threads()


def write_split(folder: Path) -> Path:
    """Write the official training and test split; the validation split is left out."""
    held = read_npz(IMAGES)
    if held is None:
        raise SystemExit(f"{IMAGES} is not there. Set MEDUNSUP_DATA.")
    kept = {f"{split}_{what}": held[f"{split}_{what}"] for split in SPLITS for what in ("images", "labels")}
    np.savez(folder / "images.npz", **kept)
    return folder / "images.npz"


def parameters_of(name: str, given: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """Parameters of a method for images of organs, where a method knows that."""
    fields = method("selfsupervised", name).Config.model_fields
    presets = {"augmentations": AUGMENTATIONS} if "augmentations" in fields else {}
    return {**presets, **given, "dims": 2, "epochs": epochs}


def pretrained(
    name: str, data: Path, folder: Path, given: Mapping[str, Any], seconds: float
) -> EncoderFolder:
    """Pretrain for about so many seconds of that clock, the first epoch among them."""
    began = clock()
    first = medunsup.pretrain(name, data, folder / "clock", parameters=parameters_of(name, given, 1))
    one = clock() - began
    n_weights = sum(each.numel() for each in first.network.parameters())
    if n_weights > MOST_PARAMETERS:
        raise SystemExit(f"The encoder has {n_weights} parameters, more than {MOST_PARAMETERS}.")
    epochs = int(np.clip((seconds - one) / one, 1, MOST_EPOCHS))
    if epochs == 1:
        return first
    return medunsup.pretrain(name, data, folder / "run", parameters=parameters_of(name, given, epochs))


def print_row(name: str, encoder: EncoderFolder, found: ProbeResult, seconds: float) -> None:
    for one in found.verdicts:
        less = one.difference
        linear, neighbours = (
            {
                features: next(
                    each.mean_auc
                    for each in found.figures_of(features, kind)
                    if each.fraction == one.fraction
                )
                for features in ("encoder", "random", "pca")
            }
            for kind in ("linear", "knn")
        )
        figures = " ".join(f"{value:.3f}" for each in (linear, neighbours) for value in each.values())
        print(
            f"{name:20} {one.fraction:6.0%} {less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}] "
            f"{one.said:19} {figures}  {encoder.manifest.epochs:4} {seconds:5.0f}",
            flush=True,
        )


def run(names: Sequence[str], given: Mapping[str, Any], seconds: float, fractions: Sequence[float]) -> None:
    with TemporaryDirectory() as folder:
        data = write_split(Path(folder))
        columns = "linear: own, random, PCA; k-NN: the same"
        print(f"{'method':20} labels  AUC less the better baseline    {columns}; epochs, seconds")
        for name in names:
            where, began = Path(folder) / name, clock()
            try:
                encoder = pretrained(name, data, where, given, seconds)
            except medunsup.MedunsupError as error:
                print(f"{name:20} not run: {error}", flush=True)
                continue
            taken = clock() - began
            found = medunsup.probe(encoder.path, data, where / "probe", fractions=fractions)
            print_row(name, encoder, found, taken)
            for remark in found.remarks:
                print(f"{'':20} {remark}", flush=True)


def main() -> None:
    known = [card.name for card in medunsup.methods("selfsupervised")]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", nargs="+", default=known, choices=known)
    parser.add_argument("--seconds", type=float, default=300, help="for the training of each")
    parser.add_argument("--fractions", nargs="+", type=float, default=[0.01, 0.1, 1.0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    from medunsup.cli.shared.settings import read_parameters

    run(chosen.methods, read_parameters(chosen.set), chosen.seconds, chosen.fractions)


if __name__ == "__main__":
    main()
