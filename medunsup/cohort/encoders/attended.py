"""What `attention` returns: where a pretrained encoder looks in one scan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from medunsup.core.record import Record
from medunsup.core.shown import Shown
from medunsup.core.volume import Volume

Kind = Literal["attention", "activation"]

MEANINGS: Mapping[Kind, str] = {
    "attention": "How much each place counts in the image's features, head by head: the last block's "
    "attention, averaged over the queries inside the brain.",
    "activation": "How strong the feature maps are, fine to coarse: sums of squares over their channels.",
}


@dataclass(frozen=True, eq=False, repr=False)
class AttentionResult(Shown):
    """Where a pretrained encoder looks in one scan, in native space.

    A map shows what counts in the network's features. It does not show disease.

    Attributes
    ----------
    image : Volume
        The scan.
    brain : Volume
        Brain mask; maps are 0 outside it.
    maps : dict of str to Volume
        Maps from 0 to 1, the main one first: "mean", "head1", ... of a transformer with global attention;
        "coarse", "fine", "middle" of any other encoder.
    kind : {'attention', 'activation'}
        What they are maps of.
    scales : dict of str to float
        Value that became 1 in each map: times what uniform attention gives, or a sum of squares.
    contrast : str
        Weighting of the scan.
    about : dict
        Encoder, pretraining method and fine-tuned network.
    record : Record
        What was done to the scan, step by step.
    beside : dict of str to Volume
        The same maps of a fine-tuned network; empty if none was given.
    beside_scales : dict of str to float
        Their scales.
    remarks : tuple of str
        What is to be known beside the maps.
    details : dict
        How the scan was prepared.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.attention("runs/scans", "scan.nii.gz")
    >>> found.kind, list(found.maps)
    ('activation', ['coarse', 'fine', 'middle'])
    """

    image: Volume = field(repr=False)
    brain: Volume = field(repr=False)
    maps: Mapping[str, Volume] = field(repr=False)
    kind: Kind
    scales: Mapping[str, float]
    contrast: str
    about: Mapping[str, Any]
    record: Record = field(repr=False)
    beside: Mapping[str, Volume] = field(repr=False, default_factory=dict)
    beside_scales: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def main(self) -> str:
        """Name of the main map: the mean of the heads, or that of the map that makes the features."""
        return next(iter(self.maps))
