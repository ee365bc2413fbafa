"""Make the bundled models anew, from the public data set OpenNeuro ds002748.

    python pipelines/shipped_models.py DATA work/ out/ [t1w_2mm_atlas t1w_2mm_fpi]

DATA holds sub-01_T1w.nii.gz to sub-66_T1w.nii.gz of ds002748, skull-stripped, on the MNI152 grid at 2 mm.
Sub-64 to 66 are kept aside. Of the others 19 calibrate; the network has 2 more to decide when to stop.
Whole models and prepared scans lie in work/ (what is there is taken again), the small ones that are shipped
in out/. The network takes a quarter of an hour of CPU time.
"""

import sys
from pathlib import Path

import numpy as np

import medunsup

ROOT = Path(__file__).resolve().parent.parent
CARD = ROOT / "data_cards" / "openneuro_ds002748.md"
NOTES = ROOT / "pipelines" / "shipped_models.md"
N_KNOWN, N_CALIBRATION, N_VALIDATION = 63, 19, 2
LEAST_PATTERN = 0.7  # 3 of the 63 scans lie below it, and nearly all scans of other scanners
MODELS = {
    "t1w_2mm_atlas": {"model": "healthy_atlas", "score": "deviation"},
    "t1w_2mm_fpi": {
        "model": "fpi",
        "score": "deviation",
        "postprocess": ("relative=75",),
        "parameters": {"channels": 8, "epochs": 10},
    },
}


def main(data: Path, work: Path, out: Path, names: list[str]) -> None:
    """Train each model in `work` unless it is there, and write its small copy into `out`."""
    work.mkdir(parents=True, exist_ok=True)
    notes = NOTES.read_text(encoding="utf-8")
    for name in names or list(MODELS):
        chosen = dict(MODELS[name])
        table, folder = work / f"{name}.tsv", work / name
        table.write_text(splits(data, stops_early="epochs" in chosen.get("parameters", {})), encoding="utf-8")
        if not (folder / "model.json").exists():
            model, cache = chosen.pop("model"), work / "prepared"
            medunsup.train(model, table, folder, card=CARD, cache=cache, resume=True, **chosen)
        whole = medunsup.read_model(folder)
        small = medunsup.compact_model(whole, out / name, notes=notes, least_pattern=LEAST_PATTERN)
        print(f"{small.path}: {sum(file.stat().st_size for file in small.path.iterdir()) / 1e6:.2f} MB")


def splits(data: Path, *, stops_early: bool) -> str:
    """Write the table of scans: the same draw for all models, so that all know the same calibration scans."""
    subjects = [f"sub-{n:02d}" for n in range(1, N_KNOWN + 1)]
    order = np.random.default_rng(0).permutation(N_KNOWN)
    split_of = dict.fromkeys(subjects, "train")
    split_of |= {subjects[n]: "calibration" for n in order[N_KNOWN - N_CALIBRATION :]}
    if stops_early:
        learned = [subject for subject in subjects if split_of[subject] == "train"]
        chosen = np.random.default_rng(1).choice(learned, N_VALIDATION, replace=False)
        split_of |= dict.fromkeys(chosen.tolist(), "validation")
    rows = ["scan\tsubject\tsplit"]
    for subject in subjects:
        scan = (data / f"{subject}_T1w.nii.gz").resolve()
        rows.append(f"{scan}\t{subject}\t{split_of[subject]}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    data, work, out = (Path(word) for word in sys.argv[1:4])
    main(data, work, out, sys.argv[4:])
