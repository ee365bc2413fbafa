"""Whether unlabelled images help on PneumoniaMNIST: each method beside the same without them.

    python benchmarks/few_labels.py                               # all methods, 10 labels a class
    python benchmarks/few_labels.py --labels 4 --draws 5 --methods em label_spreading
    python benchmarks/few_labels.py --encoder runs/encoder --steps 1000 --test

From the 4,708 training images as many labels of each class are drawn, and 100 more, of either class as they
come, to choose between the arms and to judge pseudo-labels by; all others are unlabelled. Methods on features
see those of the encoder, or without one 64 principal components, beside logistic regression on the labelled
rows; networks start from the encoder, or from random weights, beside the same network on the labelled
images alone. Figures are balanced accuracies on 1,000 other training images, or with --test on the official
test split, which is for the end: mean of method, labels alone and whichever is kept, then the differences
to labels alone in each draw.
`used` is the coverage of unlabelled images, `right` the accuracy of pseudo-labels on the 100. The data come
from MEDUNSUP_DATA (default ../shared/data).
"""

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tissue import DATA

import medunsup
from medunsup.core.registry import method
from medunsup.io.files.npz import read_npz
from medunsup.metrics.probes import linear_probe
from medunsup.nn import make_encoder
from medunsup.training import Scans, Training

IMAGES = DATA / "images_2d" / "pneumoniamnist_reconstructed.npz"
N_CHOICE, N_HELD_OUT, N_COMPONENTS = 100, 1000, 64


@dataclass(frozen=True)
class Drawn:
    """One draw of labels: training images with few labels, those to choose by, and those to judge by."""

    few: Scans
    choice: Scans
    test: Scans


@dataclass(frozen=True)
class Figures:
    """What one draw gave."""

    own: float
    alone: float
    kept: float
    used: float
    right: float


def scans_of(images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Scans:
    values = (images.astype(np.float32) / 255)[:, None, :, :, None]
    return Scans(values, np.ones((len(values), 28, 28, 1), bool), labels=labels.ravel().astype(np.int64))


def drawn(held: dict[str, Any], each: int, seed: int, *, official: bool) -> Drawn:
    train, test = (scans_of(held[f"{one}_images"], held[f"{one}_labels"]) for one in ("train", "test"))
    assert train.labels is not None
    order = np.random.default_rng(seed).permutation(len(train))
    choice, held_out, rest = np.split(order, [N_CHOICE, N_CHOICE + N_HELD_OUT])
    labels = np.full(len(rest), -1)
    for one in (0, 1):
        chosen = np.flatnonzero(train.labels[rest] == one)[:each]
        labels[chosen] = one
    few = Scans(train.values[rest], train.masks[rest], labels=labels)
    return Drawn(few, train.take(choice.tolist()), test if official else train.take(held_out.tolist()))


def balanced(said: NDArray[np.integer], scans: Scans) -> float:
    assert scans.labels is not None
    return float(np.mean([(said[scans.labels == one] == one).mean() for one in (0, 1)]))


def features_of(encoder: Any, data: Drawn) -> list[NDArray[np.float64]]:
    """Features of training, choice and test images."""
    if encoder is not None:
        from medunsup.selfsupervised.encode import encode

        return [encode(encoder, one.values).astype(np.float64) for one in (data.few, data.choice, data.test)]
    from sklearn.decomposition import PCA

    flat = [one.values.reshape(len(one), -1) for one in (data.few, data.choice, data.test)]
    fitted = PCA(N_COMPONENTS, svd_solver="randomized", random_state=0).fit(flat[0])
    return [fitted.transform(one) for one in flat]


def on_features(name: str, encoder: Any, data: Drawn) -> Figures:
    few, choice, test = features_of(encoder, data)
    kind, labels = method("semisupervised", name), data.few.labels
    assert labels is not None
    scale = "together" if encoder is None else "each"
    fitted = kind(kind.Config(scale=scale)).fit(few, labels)
    known = labels >= 0

    def alone(rows: NDArray[np.float64]) -> NDArray[np.integer]:
        return linear_probe(few[known], labels[known], rows, scale=scale).probabilities.argmax(axis=1)

    right = balanced(fitted.predict(choice), data.choice)
    is_better = right >= balanced(alone(choice), data.choice)
    own, other = balanced(fitted.predict(test), data.test), balanced(alone(test), data.test)
    return Figures(own, other, own if is_better else other, fitted.coverage_, right)


def around_encoder(name: str, encoder: Any, data: Drawn, seed: int, given: dict[str, Any]) -> Figures:
    import json

    kind = method("semisupervised", name)
    if encoder is None:
        torch.manual_seed(seed)
        encoder = make_encoder("cnn", {"channels": 16, "levels": 3}, dims=2, channels=1)
        given = {"encoder_share": 1.0, **given}
    one = kind(kind.Config.parse({"seed": seed, **given}), encoder, classes=2)
    with TemporaryDirectory() as folder:
        training = Training(folder=Path(folder), accelerator="cpu")
        one.fit(data.few, validation=data.choice, training=training)
        last = json.loads((Path(folder) / "log.jsonl").read_text().splitlines()[-1])
    found = {
        arm: balanced(one.probabilities(data.test, arm=arm).argmax(axis=1), data.test)
        for arm in ("semisupervised", "supervised")
    }
    return Figures(
        found["semisupervised"],
        found["supervised"],
        found[one.choice_.kept],
        last["coverage"],
        last.get("pseudo_accuracy", float("nan")),
    )


def print_row(name: str, found: Sequence[Figures], seconds: float) -> None:
    means = [
        np.mean([getattr(one, what) for one in found]) for what in ("own", "alone", "kept", "used", "right")
    ]
    gains = " ".join(f"{one.own - one.alone:+.3f}" for one in found)
    print(
        f"{name:22} " + " ".join(f"{value:6.3f}" for value in means) + f"  {gains}  {seconds:.0f} s",
        flush=True,
    )


def main() -> None:
    cards = {card.name: card for card in medunsup.methods("semisupervised")}
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", nargs="+", default=list(cards), choices=cards)
    parser.add_argument("--labels", type=int, default=10, help="of each class")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60, help="of each network")
    parser.add_argument("--encoder", type=Path, help="folder of a pretrained encoder")
    parser.add_argument("--test", action="store_true", help="judge by the official test split")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="for networks")
    chosen = parser.parse_args()
    from medunsup.cli.shared.settings import read_parameters

    held = read_npz(IMAGES)
    if held is None:
        raise SystemExit(f"{IMAGES} is not there. Set MEDUNSUP_DATA.")
    logging.getLogger("medunsup").setLevel(logging.ERROR)
    encoder = None
    if chosen.encoder is not None:
        from medunsup.cohort.encoders.folder import read_encoder

        encoder = read_encoder(chosen.encoder).network
    given = {"steps": chosen.steps, **read_parameters(chosen.set)}
    print(f"{'method':22} {'own':>6} {'alone':>6} {'kept':>6} {'used':>6} {'right':>6}  own less alone")
    for name in chosen.methods:
        began, found = time.perf_counter(), []
        for seed in range(chosen.draws):
            data = drawn(held, chosen.labels, seed, official=chosen.test)
            if cards[name].family == "features":
                found.append(on_features(name, encoder, data))
            else:
                found.append(around_encoder(name, encoder, data, seed, given))
        print_row(name, found, time.perf_counter() - began)


if __name__ == "__main__":
    main()
