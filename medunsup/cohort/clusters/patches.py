"""Clusters of the voxels of one scan."""

from dataclasses import dataclass, field
from typing import Any

from medunsup.core.labels import Label, class_table
from medunsup.core.provenance import plain
from medunsup.core.shown import Shown
from medunsup.core.volume import Volume

N_COLOURS = 6
DARKER = 0.6  # each further round of the colours

OF_TEXTURE = "Clusters are of brightness and texture. They are no tissues, no regions and no findings."
OF_ENCODER = (
    "Clusters are of what an encoder makes of voxels. They are no tissues, no regions and no findings."
)
AS_ASKED = (
    "As many clusters were made as asked for; whether so many are there was not asked, as neighbouring "
    "voxels are alike in every scan."
)
BY_RULE = (
    "How many clusters there are was told from some hundred voxels, those of a cube of 20 mm as one: smaller "
    "structures are not seen by it."
)
LIMITS = (
    "Cluster 1 of one scan is not cluster 1 of another: labels are ordered by mean intensity in each scan "
    "alone.",
    "A coil's uneven sensitivity and the edge of the brain mask make clusters as well.",
)


@dataclass(frozen=True)
class VoxelCluster:
    """One cluster of voxels.

    Attributes
    ----------
    label : Label
        Its number in the volume, name and colour.
    n_voxels : int
        Voxels in it.
    ml : float
        Their volume.
    share : float
        Share of the mask.
    mean_intensity : float
        Mean intensity in the scan.
    """

    label: Label
    n_voxels: int
    ml: float
    share: float
    mean_intensity: float


@dataclass(frozen=True)
class Made:
    """How voxels were clustered.

    Attributes
    ----------
    method : str
        Name of the method.
    encoder : str or None
        Folder of the encoder; None if voxels were clustered by brightness and texture.
    seed : int
        Seed of all chance.
    """

    method: str = "minibatch_kmeans"
    encoder: str | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class PatchClusters(Shown):
    """Voxels of one scan in clusters.

    Attributes
    ----------
    image, brain : Volume
        The scan and the mask of its brain, on one grid.
    labels : Volume
        uint8 on that grid: 0 outside the brain or in no cluster, 1 the darkest cluster.
    clusters : tuple of VoxelCluster
        Each with its label, voxels, volume in ml, share of the mask and mean intensity in the scan.
    features : tuple of str
        Names of what voxels were clustered by.
    remarks : tuple of str
        What should be known, in words.
    made : Made
        Method, encoder and seed.
    verdict : str or None
        Where the number was chosen by the rule: whether there are clusters, and how many.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.cluster_patches("scan.nii.gz", k=3)
    >>> found.labels.shape == found.image.shape
    True
    """

    image: Volume
    brain: Volume
    labels: Volume
    clusters: tuple[VoxelCluster, ...]
    features: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    made: Made = field(default_factory=Made)
    verdict: str | None = None

    @property
    def title(self) -> str:
        """What was made, in words."""
        n = int(self.brain.data.sum())
        if self.verdict is None:
            return f"{len(self.clusters)} clusters of {n} voxels, as asked for"
        return f"{n} voxels: {self.verdict}"

    @property
    def limits(self) -> tuple[str, ...]:
        """What may not be read from these clusters."""
        what = OF_ENCODER if self.made.encoder else OF_TEXTURE
        return (what, AS_ASKED if self.verdict is None else BY_RULE, *LIMITS)

    def as_record(self) -> dict[str, Any]:
        """Return plain values, for patches.json and for --json.

        Returns
        -------
        dict
            Number, sizes and colours of clusters, features, method, seed, remarks.

        Examples
        --------
        >>> import medunsup
        >>> medunsup.cluster_patches("scan.nii.gz", k=3).as_record()["k"]
        3
        """
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
            "method": self.made.method,
            "encoder": self.made.encoder,
            "seed": self.made.seed,
            "verdict": self.verdict,
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
