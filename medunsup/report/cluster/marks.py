"""How clusters are told apart: each has a colour and a shape of its own, so that colour is never alone."""

from dataclasses import dataclass

from medunsup.report.base.scatter_plot.palette import OKABE_ITO, UNKNOWN

# Outlines about (0, 0), of about one area, that of a circle of radius 1.
SHAPES = (
    "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0 -1 0Z",
    "M-.9 -.9H.9V.9H-.9Z",
    "M0 -1.35L1.2 .8H-1.2Z",
    "M0 -1.35L1.25 0L0 1.35L-1.25 0Z",
    "M0 1.35L1.2 -.8H-1.2Z",
    "M-.45 -1.3H.45V-.45H1.3V.45H.45V1.3H-.45V.45H-1.3V-.45H-.45Z",
    "M0 -1.2L1.15 -.35L.7 1H-.7L-1.15 -.35Z",
)
OF_NONE = "M-1.2 -.7L-.7 -1.2L0 -.5L.7 -1.2L1.2 -.7L.5 0L1.2 .7L.7 1.2L0 .5L-.7 1.2L-1.2 .7L-.5 0Z"


@dataclass(frozen=True)
class Mark:
    """How rows of one cluster are drawn; `label` is -1 for those in none."""

    label: int
    colour: str
    shape: str

    @property
    def name(self) -> str:
        """What the cluster is called in words."""
        return "in none" if self.label < 0 else f"cluster {self.label}"


def mark(label: int) -> Mark:
    """Return the mark of a cluster; colour and shape together repeat after 49."""
    if label < 0:
        return Mark(label, UNKNOWN, OF_NONE)
    shape = (label + label // len(OKABE_ITO)) % len(SHAPES)
    return Mark(label, OKABE_ITO[label % len(OKABE_ITO)], SHAPES[shape])
