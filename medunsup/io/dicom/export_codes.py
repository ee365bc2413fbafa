"""What results are called in DICOM: SNOMED CT and UCUM codes, with the colours of our one table."""

from dataclasses import dataclass

from medunsup.core.labels import Label

Code = tuple[str, str, str]  # value, scheme, meaning

TISSUE: Code = ("85756007", "SCT", "Tissue")
BRAIN: Code = ("12738006", "SCT", "Brain")
BODY_SUBSTANCE: Code = ("91720002", "SCT", "Body substance")
TYPES: dict[str, tuple[Code, Code]] = {  # category and type by the label's abbreviation
    "GM": (TISSUE, ("389081007", "SCT", "Gray matter")),
    "WM": (TISSUE, ("389080008", "SCT", "White matter")),
    "CSF": (BODY_SUBSTANCE, ("65216001", "SCT", "Cerebrospinal fluid")),
}
ABNORMAL: Code = ("49755003", "SCT", "Morphologically Abnormal Structure")
LESION: Code = ("52988006", "SCT", "Lesion")
RATIO: Code = ("1", "UCUM", "no units")
ARBITRARY: Code = ("[arb'U]", "UCUM", "arbitrary unit")
ML: Code = ("ml", "UCUM", "ml")
VOLUME: Code = ("118565006", "SCT", "Volume")
MAXIMUM: Code = ("56851009", "SCT", "Maximum")
# What no standard names; the scheme is told as a private one.
SCORE: Code = ("ANOMALY_SCORE", "99MEDUNSUP", "Anomaly score")
FROM_FRACTIONS: Code = ("FRACTIONS", "99MEDUNSUP", "Sum of partial volume fractions")
FROM_LABELS: Code = ("LABELS", "99MEDUNSUP", "Count of voxels")
VERDICT: Code = ("VERDICT", "99MEDUNSUP", "Quality verdict")
REASON: Code = ("REASON", "99MEDUNSUP", "Reason for the quality verdict")
BRAIN_MRI: Code = ("24590-2", "LN", "Brain MRI")
IMAGING: Code = ("363679005", "SCT", "Imaging procedure")
FINDING_RGB = (213, 94, 0)


@dataclass(frozen=True)
class Segment:
    """One segment of a DICOM segmentation: its number, name, codes and colour."""

    number: int
    name: str
    rgb: tuple[int, int, int]
    category: Code = TISSUE
    type: Code = TISSUE


def segment_of(label: Label) -> Segment:
    """Describe a tissue label; a class without a name in anatomy is a tissue."""
    category, kind = TYPES.get(label.abbreviation, (TISSUE, TISSUE))
    return Segment(label.index, label.name, label.rgb, category, kind)


def verdict_code(verdict: str) -> Code:
    """Name a verdict on the quality, such as "check"."""
    return (verdict.upper(), "99MEDUNSUP", verdict.capitalize())


def finding_segment(number: int, name: str) -> Segment:
    """Describe a finding, or several: an abnormal place, and no diagnosis."""
    return Segment(number, name, FINDING_RGB, ABNORMAL, LESION)
