"""Tables beside the maps: volumes, label names, colours for the viewers."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from medunsup.core.labels import TISSUES, Label
from medunsup.io.bids.names import OutputNames
from medunsup.io.files.tsv import tsv
from medunsup.tissue.result import TissueResult
from medunsup.workflows.segment.outputs import COLOURS, LABEL_TABLE, SHARED_COLOURS, SHARED_LABEL_TABLE

VOLUME_COLUMNS = ("index", "name", "abbreviation", "volume_mm3", "labels_mm3", "fraction_of_mask")


def volumes_tsv(result: TissueResult) -> str:
    """One row a tissue, then the whole mask: volume from fractions and from labels, share of the mask."""
    rows: list[Sequence[str]] = [VOLUME_COLUMNS]
    for item in result.tissues:
        label = item.label
        measures = (f"{item.from_fractions_mm3:.1f}", f"{item.from_labels_mm3:.1f}")
        share = f"{item.fraction_of_brain_mask:.5f}"
        rows.append((str(label.index), label.name, label.abbreviation, *measures, share))
    whole = f"{result.brain_mask_ml * 1000:.1f}"
    rows.append(("n/a", "Brain mask", "mask", whole, whole, "1.00000"))
    return tsv(rows)


def dseg_tsv(labels: Sequence[Label]) -> str:
    """Write the BIDS table of label names: index, name, abbreviation, colour."""
    rows = [("index", "name", "abbreviation", "color")]
    rows += [(str(label.index), label.name, label.abbreviation, label.hex) for label in labels]
    return tsv(rows)


def freesurfer(labels: Sequence[Label]) -> str:
    """Write FreeSurfer's colour table (freeview, MRIcroGL): index, name, R G B and transparency, 0 to 255."""
    lines = ["#No. Label Name: R G B A", "0 Background 0 0 0 0"]
    return _text(lines + [f"{label.index} {_word(label)} {_rgb(label)} 0" for label in labels])


def fsleyes(labels: Sequence[Label]) -> str:
    """Write FSLeyes' lookup table: index, R G B from 0 to 1, name."""
    shares = {label: " ".join(f"{value / 255:.5f}" for value in label.rgb) for label in labels}
    return _text(f"{label.index} {share} {label.name}" for label, share in shares.items())


def itksnap(labels: Sequence[Label]) -> str:
    """Write ITK-SNAP's label descriptions: index, R G B, opacity, visible, visible in 3D, name."""
    lines = ["# ITK-SnAP Label Description File", '0 0 0 0 0 0 0 "Clear Label"']
    return _text(lines + [f'{label.index} {_rgb(label)} 1 1 1 "{label.name}"' for label in labels])


def slicer(labels: Sequence[Label]) -> str:
    """Write 3D Slicer's colour table: index, name, R G B and opacity, 0 to 255."""
    lines = ["# Color table file for 3D Slicer; 4 values", "0 Background 0 0 0 0"]
    return _text(lines + [f"{label.index} {_word(label)} {_rgb(label)} 255" for label in labels])


COLOUR_TABLES: dict[str, Callable[[Sequence[Label]], str]] = {
    "freesurfer.txt": freesurfer,
    "fsleyes.lut": fsleyes,
    "itksnap.label": itksnap,
    "slicer.ctbl": slicer,
}


def label_tables(names: OutputNames, labels: Sequence[Label]) -> dict[Path, str]:
    """Label names and colours by file: once for the whole root, or the scan's own."""
    if are_shared(names, labels):
        folder = names.path(SHARED_COLOURS)
        colours = {folder / f"tissues_{ending}": write(labels) for ending, write in COLOUR_TABLES.items()}
        return {names.path(SHARED_LABEL_TABLE): dseg_tsv(labels), **colours}
    own = {names.path(COLOURS, ending): write(labels) for ending, write in COLOUR_TABLES.items()}
    return {names.path(LABEL_TABLE): dseg_tsv(labels), **own}


def are_shared(names: OutputNames, labels: Sequence[Label]) -> bool:
    """Whether one table serves all scans: results in a folder of their own, of the three tissues."""
    return names.root is not None and tuple(labels) == TISSUES


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _word(label: Label) -> str:
    return label.name.replace(" ", "_")


def _rgb(label: Label) -> str:
    return " ".join(str(value) for value in label.rgb)
