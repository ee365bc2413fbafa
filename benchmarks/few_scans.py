"""Whether pretraining helps to segment tissues with 1, 2 or 4 labelled scans, beside what needs no label.

    python benchmarks/few_scans.py                                        # ten minutes a pretraining
    python benchmarks/few_scans.py --methods tissue_pretext --minutes 2 --labelled 1 --draws 3

Encoders are pretrained on the 60 training scans of healthy_t1_2mm, in as many epochs as fit into the
minutes of processor time, and fine-tuned on scans of tissue_malf with GM and WM as an expert drew them, at
2 mm on the template grid. The scans to learn from are drawn several times; all others are tested on. Each
line: the differences of the fine-tuned and the frozen encoder to training from scratch (same batches, same
steps) with 95 % intervals over subjects, then Dice of the three, mean of GM and WM, over draws and subjects.
First, `segment` on the same scans, which has seen no label. Dice counts the voxels of the brain mask where
the expert drew GM, WM or CSF. Data come from MEDUNSUP_DATA (default ../shared/data).
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tissue import DATA

import medunsup
from medunsup.cli.shared.settings import read_parameters
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.encoders.folder import EncoderFolder
from medunsup.cohort.label_maps import on_template_grid, read_labels
from medunsup.cohort.prepare import load_and_prepare
from medunsup.cohort.prepare_many import request_of
from medunsup.cohort.settings import ReadSettings
from medunsup.core.progress import Stage
from medunsup.metrics.bootstrap import compare, mean_interval
from medunsup.metrics.segmentation import dice
from medunsup.supervised.segmentation import ARMS, Arm, Segmentation, SegmentationConfig
from medunsup.training.loop import Training
from medunsup.training.scan_stack import Scans

METHODS = ("tissue_pretext", "masked_autoencoder", "context_restoration", "simclr")
SPACING_MM = 2.0
TRAINED = range(1, 61)  # sub-01 to sub-60 of healthy_t1_2mm
GM, WM = 1, 2

Scores = dict[Arm, dict[int, float]]


@dataclass(frozen=True)
class Reading:
    """How scans are read, and the grid they come onto."""

    reading: ReadSettings
    spacing_mm: float = SPACING_MM


@dataclass(frozen=True)
class Labelled:
    """Scans with classes 0 none, 1 GM, 2 WM; where the expert drew anything; what `segment` says of them."""

    scans: Scans
    truth: NDArray[np.int32]
    drawn: NDArray[np.bool_]
    segmented: NDArray[np.int32]

    def score(self, found: NDArray[np.int32], n: int) -> float:
        """Mean Dice of GM and WM of scan n."""
        where = self.drawn[n]
        return float(np.mean([dice(found[where], self.truth[n][where], each) for each in (GM, WM)]))


def write_pretraining_table(folder: Path) -> Path:
    root = DATA / "healthy_t1_2mm"
    rows = [f"{root / f'sub-{n:02}_T1w.nii.gz'}\tsub-{n:02}" for n in TRAINED]
    table = folder / "unlabelled.tsv"
    table.write_text("\n".join(["scan\tsubject", *rows]) + "\n", encoding="utf-8")
    return table


def read_labelled(cache: Path) -> Labelled:
    """Prepare the 12 scans, and bring the expert's labels and those of `segment` onto the grid."""
    root, how = DATA / "tissue_malf", Reading(ReadSettings(contrast="T1w", brain="stripped"))
    rows = []
    for scan in sorted(root.glob("*_T1w.nii.gz")):
        name = scan.name.split("_")[0]
        mask = root / f"{name}_mask.nii.gz"
        image, made = load_and_prepare(request_of(Case(scan, name, mask=mask), how), SPACING_MM, cache=cache)
        maps = [read_labels(root / f"{name}_manual.nii.gz", image)]
        maps.append(np.asarray(medunsup.segment(scan, mask=mask).labels.data, np.int32))
        expert, ours = (on_template_grid(one, image, made.template_to_scan, SPACING_MM) for one in maps)
        rows.append((name, made.values, made.mask, expert, ours))
    names, values, masks, expert, ours = (tuple(column) for column in zip(*rows, strict=True))
    inside = np.stack(masks)
    truth = np.stack(expert) * inside
    scans = Scans(np.stack(values), inside, names, names)
    return Labelled(scans, np.where(truth <= WM, truth, 0), truth > 0, np.stack(ours))


def pretrained(
    method: str, table: Path, folder: Path, given: Mapping[str, Any], seconds: float
) -> EncoderFolder:
    """Pretrain for about so many seconds of processor time, by what one epoch takes."""
    began: list[float] = []

    def note(stage: Stage) -> None:
        if stage.what.startswith("pretraining") and not began:
            began.append(time.process_time())

    def run(epochs: int) -> EncoderFolder:
        return medunsup.pretrain(
            method,
            table,
            folder / f"{method}_{epochs}",
            parameters={**given, "epochs": epochs},
            cache=folder / "prepared",
            spacing_mm=SPACING_MM,
            contrast="T1w",
            validation=0.05,
            force=True,
            progress=note,
        )

    run(1)
    epochs = max(2, int(seconds / (time.process_time() - began[0])))
    made = run(epochs)
    print(f"{method}: {epochs} epochs. {made.manifest.verdict}", flush=True)
    return made


def fine_tuned(
    encoder: EncoderFolder, data: Labelled, chosen: Sequence[int], steps: int, seed: int
) -> Scores:
    """Learn from the chosen scans; mean Dice of all others, by network."""
    held = data.scans.take(list(chosen))
    classes = data.truth[list(chosen), None].astype(np.float32)
    learned_from = replace(held, values=np.concatenate([held.values, classes], axis=1))
    config = SegmentationConfig(steps=steps, seed=seed)
    made = Segmentation(config, encoder.network, classes=3, arms=ARMS, decoder=encoder.decoder)
    made = made.with_steps(learned_from)
    made.fit(learned_from, training=Training(patience=None, keep="last"))
    others = [n for n in range(len(data.scans)) if n not in chosen]
    scores: Scores = {arm: {} for arm in ARMS}
    for n in others:
        for arm in ARMS:
            found = made.probabilities(arm, data.scans.values[n], data.scans.masks[n]).argmax(axis=0)
            scores[arm][n] = data.score(found.astype(np.int32), n)
    return scores


def draws_of(n_scans: int, n_labelled: int, draws: int) -> list[list[int]]:
    """Which scans are learned from, the same for all methods."""
    generator = np.random.default_rng(n_labelled)
    return [sorted(generator.permutation(n_scans)[:n_labelled].tolist()) for _ in range(draws)]


def print_lines(method: str, encoder: EncoderFolder, data: Labelled, options: argparse.Namespace) -> None:
    for n_labelled in options.labelled:
        draws = draws_of(len(data.scans), n_labelled, options.draws)
        found = [fine_tuned(encoder, data, one, options.steps, seed) for seed, one in enumerate(draws)]
        rows = {
            arm: np.array(
                [np.mean([each[arm][n] for each in found if n in each[arm]]) for n in range(len(data.scans))]
            )
            for arm in ARMS
        }
        parts = []
        for arm in ("finetuned", "frozen"):
            one = compare(rows[arm], rows["scratch"])
            less = one.difference
            parts.append(f"{less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}] {one.verdict:6}")
        means = " ".join(f"{np.nanmean(rows[arm]):.3f}" for arm in ARMS)
        print(f"{method:20} {n_labelled:2}   {'   '.join(parts)}   {means}", flush=True)


def main() -> None:
    known = [card.name for card in medunsup.methods("selfsupervised")]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=known)
    parser.add_argument("--minutes", type=float, default=10, help="of processor time for each pretraining")
    parser.add_argument("--labelled", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--steps", type=int, default=500, help="of fine-tuning")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder that keeps encoders and prepared scans")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="of the pretraining")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        data, table = read_labelled(folder / "prepared"), write_pretraining_table(folder)
        ours = mean_interval([data.score(data.segmented[n], n) for n in range(len(data.scans))])
        print(f"segment, without labels: {ours.value:.3f} [{ours.low:.3f}, {ours.high:.3f}]")
        print("method               labelled  fine-tuned, frozen less scratch; Dice of the three")
        for method in options.methods:
            encoder = pretrained(method, table, folder, read_parameters(options.set), 60 * options.minutes)
            print_lines(method, encoder, data, options)


if __name__ == "__main__":
    main()
