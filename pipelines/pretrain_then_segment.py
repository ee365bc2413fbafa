"""Segmentation from unlabelled scans and a few label maps: pretrain, fine-tune beside scratch, export, use.

    python pipelines/pretrain_then_segment.py scans/ pairs.tsv new_T1w.nii.gz out/ [preset] [steps]

Pretrains an encoder on the scans as a preset of configs/pretrain says (`context_restoration` if none is
named; a YAML file of your own works as well), fine-tunes it on the scans and label maps of the table, beside
the same without pretraining, writes the network as a MONAI bundle, labels the new scan, and prints a table.
What is in out/ already is not made again.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

import medunsup

PRESETS = Path(__file__).resolve().parents[1] / "configs" / "pretrain"
NETWORKS = {"finetuned": "fine-tuned", "frozen": "encoder frozen", "scratch": "from scratch"}


def main(
    scans: Path, pairs: Path, new: Path, out: Path, preset: str = "context_restoration", steps: str = "1000"
) -> None:
    """Go from `scans` and `pairs` to labels of the scan `new`, everything in `out`."""
    encoder, network, bundle = out / "encoder", out / "network", out / "bundle"
    if not (encoder / "encoder.json").exists():
        medunsup.pretrain(data=scans, out=encoder, **read_preset(preset))
    if not (network / "finetune.json").exists():
        medunsup.finetune(encoder, pairs, network, parameters={"steps": int(steps)})
    if not (bundle / "configs" / "metadata.json").exists():
        medunsup.export(network, bundle, to="bundle")
    found = medunsup.predict(network, new, out / "predicted", force=True)
    tell_figures(out / "network")
    for text in (*(flag.sentence for flag in found.flags), *found.remarks):
        print(f"look out: {text}")
    print(f"{new.name}, labels that nobody has checked:")
    for one in found.volumes:
        print(f"{one.label.name:>20}: {one.volume_ml:7.1f} ml")
    print(f"label map, volumes and page: {out / 'predicted'}; bundle for MONAI: {bundle}")


def read_preset(name: str) -> dict[str, Any]:
    """Read a preset by its name, or a YAML file."""
    path = Path(name) if name.endswith(".yaml") else PRESETS / f"{name}.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def tell_figures(network: Path) -> None:
    """Print the mean Dice of the test subjects by network, in native space, and what it shows."""
    facts = yaml.safe_load((network / "figures.json").read_text(encoding="utf-8"))  # JSON is YAML
    print(f"{'network':>20}  mean Dice of the test subjects")
    for name, words in NETWORKS.items():
        mean = facts["MeanDice"][name]["native"]
        print(f"{words:>20}  {mean['value']:.3f} [{mean['low']:.3f}, {mean['high']:.3f}], n = {mean['n']}")
    print(f"fine-tuned beside scratch: {facts['Verdict']}")


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 7:
        sys.exit(__doc__)
    main(*(Path(word) for word in sys.argv[1:5]), *sys.argv[5:])
