"""Are there groups in a cohort? From scans to features, and from these to clusters with the sites taken out.

    python pipelines/cluster_cohort.py scans/ out/ [site] [preset]

Takes tissue volumes and intensities of each scan (`embed`), then looks for clusters as a preset of
configs/cluster says (`default` if none is named; a YAML file of your own works as well). `site` is a column
of participants.tsv, or of the table of scans, that names the scanner or site: its offset and spread are taken
out; give - for none. Prints whether there are clusters, and who is in which. Features that are in out/
already are not taken again.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

import medunsup

PRESETS = Path(__file__).resolve().parents[1] / "configs" / "cluster"
FEATURES = ["volumes", "intensity"]


def main(
    scans: Path, out: Path, site: str = "-", preset: str = "default", **how: Any
) -> medunsup.ClusterResult:
    """Go from `scans` to clusters in `out`; `how` goes to `embed`."""
    table = out / "features.csv"
    if not table.exists():
        medunsup.embed(scans, table, **{"features": FEATURES, **how})
    choices = read_preset(preset) | ({} if site == "-" else {"harmonise": site})
    found = medunsup.cluster(table, out / "clusters", force=True, **choices)
    print(found.verdict)
    for one in found.clusters:
        names = ", ".join(found.label(row) for row in one.exemplars[:3])
        print(f"cluster {one.label}: {one.n} scans ({one.share:.0%}), most typical {names}")
    for remark in found.remarks:
        print(f"look out: {remark}")
    print(f"clusters of all scans, mean images and page: {out / 'clusters'}")
    return found


def read_preset(name: str) -> dict[str, Any]:
    """Read a preset by its name, or a YAML file."""
    path = Path(name) if name.endswith(".yaml") else PRESETS / f"{name}.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
