"""Clusters of the voxels of one scan."""

from dataclasses import dataclass
from typing import Any

from medunsup.core.labels import Label, class_table
from medunsup.core.provenance import plain
from medunsup.core.volume import Volume

N_COLOURS = 6
DARKER = 0.6  # each further round of the colours

LIMITS = (
    "Clusters are of brightness and texture. They are no tissues, no regions and no findings.",
    "As many clusters were made as asked for; whether so many are there was not asked, as neighbouring "
    "voxels are alike in every scan.",
    "Cluster 1 of one scan is not cluster 1 of another: labels are ordered by mean intensity in each scan "
    "alone.",
    "A coil's uneven sensitivity and the edge of the brain mask make clusters as well.",
)


@dataclass(frozen=True)
class VoxelCluster:
    """One cluster: its label, voxels, volume in ml, share of the mask, mean intensity in the scan."""

    label: Label
    n_voxels: int
    ml: float
    share: float
    mean_intensity: float


@dataclass(frozen=True, eq=False)
class PatchClusters:
    """Voxels of one scan in clusters.

    `image`, `labels` (uint8, 0 outside the brain, 1 the darkest cluster) and `brain` lie on one grid.
    """

    image: Volume
    brain: Volume
    labels: Volume
    clusters: tuple[VoxelCluster, ...]
    features: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    seed: int = 0

    @property
    def title(self) -> str:
        """What was made, in words."""
        return f"{len(self.clusters)} clusters of {int(self.brain.data.sum())} voxels, as asked for"

    def as_record(self) -> dict[str, Any]:
        """Return plain values, for patches.json and for --json."""
        source = self.image.source
        clusters = [
            {
                "label": one.label.index,
                "color": one.label.hex,
                "voxels": one.n_voxels,
                "ml": one.ml,
                "share": one.share,
                "mean_intensity": one.mean_intensity,
            }
            for one in self.clusters
        ]
        record = {
            "k": len(self.clusters),
            "clusters": clusters,
            "features": list(self.features),
            "seed": self.seed,
            "scan_sha256": None if source is None else source.sha256,
            "remarks": list(self.remarks),
        }
        return dict(plain(record))


def cluster_labels(n: int) -> tuple[Label, ...]:
    """Name and colour clusters 1 to n; after six the colours come again, darker."""
    colours = [label.rgb for label in class_table(N_COLOURS)]
    found = []
    for index in range(n):
        share = DARKER ** (index // N_COLOURS)
        red, green, blue = (round(channel * share) for channel in colours[index % N_COLOURS])
        found.append(Label(index + 1, f"C{index + 1}", f"Cluster {index + 1}", (red, green, blue)))
    return tuple(found)
