"""The one table of tissue names, indices and colours; every other table is written from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One class of a label map.

    Parameters
    ----------
    index : int
        BIDS index: GM 1, WM 2, CSF 3.
    abbreviation : str
        Short name, such as 'GM'.
    name : str
        Full name.
    rgb : tuple of int
        Colour, 8 bits each.

    Examples
    --------
    >>> from medunsup.tissue import TISSUES
    >>> [(label.index, label.abbreviation, label.hex) for label in TISSUES]
    [(1, 'GM', '#E69F00'), (2, 'WM', '#56B4E9'), (3, 'CSF', '#009E73')]
    """

    index: int
    abbreviation: str
    name: str
    rgb: tuple[int, int, int]

    @property
    def hex(self) -> str:
        """Colour as #RRGGBB."""
        return "#{:02X}{:02X}{:02X}".format(*self.rgb)


# Okabe-Ito colours: they stay apart for colour-blind readers.
GM = Label(1, "GM", "Gray Matter", (230, 159, 0))
WM = Label(2, "WM", "White Matter", (86, 180, 233))
CSF = Label(3, "CSF", "Cerebrospinal Fluid", (0, 158, 115))
TISSUES: tuple[Label, ...] = (GM, WM, CSF)


def tissue(abbreviation: str) -> Label:
    """Look a tissue up by its abbreviation."""
    return {label.abbreviation: label for label in TISSUES}[abbreviation]


def class_table(n_classes: int) -> tuple[Label, ...]:
    """Labels for `n_classes` classes: the three tissues, or numbered classes from dark to bright."""
    if n_classes == len(TISSUES):
        return TISSUES
    ramp = (
        (0, 0, 0),
        (0, 114, 178),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (230, 159, 0),
        (213, 94, 0),
    )
    colours = [ramp[1 + n % (len(ramp) - 1)] for n in range(n_classes)]
    return tuple(Label(n + 1, f"C{n + 1}", f"Class {n + 1}", colours[n]) for n in range(n_classes))
