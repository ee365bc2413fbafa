"""Which collapses of pretraining our monitors name, with the value of MONAI's metric beside them.

    python benchmarks/collapse.py                     # each fault after two epochs, seeds 3 to 5
    python benchmarks/collapse.py --seeds 0 1 2       # those that the limits were chosen on
    python benchmarks/collapse.py --healthy           # healthy runs of eight epochs beside them

The trainings are those of `tests/helpers/collapses.py`, a second each. MONAI's `EmbeddingCollapseMetric` is
given the encoder's features without labels, as in pretraining; 1 is its worst. It names nothing and has no
limit, so its largest and smallest value of healthy runs stand below.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from helpers.collapses import FAULTS, HEALTHY, Run, run

HEALTHY_EPOCHS = 8


def monai_value(features: np.ndarray) -> float:
    """MONAI's aggregate of what it can say without labels; NaN where it fails."""
    from monai.metrics import EmbeddingCollapseMetric

    try:
        return float(EmbeddingCollapseMetric()(torch.from_numpy(features))["aggregate"])
    except (RuntimeError, ValueError):
        return float("nan")


def figures(of: Run) -> str:
    last = of.history[-1]
    shown = (last.feature_std, last.feature_rank, last.embedding_std, last.embedding_rank, last.alignment)
    return " ".join(f"{'-':>7}" if one is None else f"{one:7.3f}" for one in shown)


def faults(seeds: Sequence[int]) -> None:
    names = " ".join(f"{name:>7}" for name in ("f. std", "f. rank", "e. std", "e. rank", "align."))
    print(f"{'fault':24} seed {names}  MONAI  named")
    for fault, (kind, expected) in FAULTS.items():
        for seed in seeds:
            found = run(kind, fault, seed=seed)
            named = found.collapse()
            said = f"{named.name} since {named.since}" if named else "nothing"
            mark = "" if named and named.name == expected else f"  (not {expected})"
            print(
                f"{fault:24} {seed:4} {figures(found)}  {monai_value(found.features):5.2f}  {said}{mark}",
                flush=True,
            )


def healthy(seeds: Sequence[int]) -> None:
    alarms, values = 0, []
    for kind, batch_norm in HEALTHY:
        for seed in seeds:
            found = run(kind, seed=seed, epochs=HEALTHY_EPOCHS, batch_norm=batch_norm)
            said = [named for n in range(1, HEALTHY_EPOCHS + 1) if (named := found.collapse(n))]
            alarms += bool(said)
            values.append(monai_value(found.features))
            name = kind if batch_norm else f"{kind}, no BN"
            print(
                f"{name:24} {seed:4} {figures(found)}  {values[-1]:5.2f}  {said[0] if said else 'nothing'}",
                flush=True,
            )
    span = f"{min(values):.2f} to {max(values):.2f}"
    print(f"{alarms} alarms in {len(values)} healthy runs; MONAI's values {span}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4, 5])
    parser.add_argument("--healthy", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    faults(given.seeds)
    if given.healthy:
        healthy(given.seeds)


if __name__ == "__main__":
    main()
