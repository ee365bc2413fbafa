"""What the sidecars say: what made a file, from what, with which choices, step by step."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.io.bids.names import OutputNames, sidecar_path, source_uri

if TYPE_CHECKING:
    from medunsup.workflows.segment.result import SegmentResult

DESCRIPTIONS = {
    "dseg": "Tissue classes: the most probable one of each voxel",
    "probseg": "Partial volume fraction of one tissue, 0 to 1",
    "mask": "Brain mask: the region the tissues were fitted in",
    "corrected": "The scan divided by its estimated bias field",
    "uncertainty": "Normalised entropy of the class probabilities: 0 certain, 1 a guess",
}
EXTRA: dict[str, dict[str, Any]] = {
    "dseg": {"Manual": False},
    "probseg": {"Manual": False, "Units": "arbitrary", "RoundingErrorAtMost": 0.0005},
    "mask": {"Type": "Brain", "Manual": False},
    "corrected": {"RoundingErrorAtMost": "1/8192 of the maximum, relative"},
    "uncertainty": {"Units": "arbitrary", "RoundingErrorAtMost": 0.0005},
}


def sidecar_of(kind: str, result: "SegmentResult", names: OutputNames) -> dict[str, Any]:
    """Write down one map's sidecar: sources, choices and versions; that of the labels has every step."""
    kind, _, label = kind.partition("_")
    source = result.image.source
    scan = Path(source.path) if source else Path("array")
    others = [item["Name"] for item in result.identity["Inputs"] if item["Role"] != "scan"]
    sources = [source_uri(scan, names.root), *others]
    facts: dict[str, Any] = {"Description": DESCRIPTIONS[kind], "Sources": sources}
    facts["SpatialReference"] = "orig"
    facts |= EXTRA[kind]
    if label:
        facts["Tissue"] = label
    if kind == "corrected":
        facts["SkullStripped"] = is_skull_stripped(result)
    facts |= {"GeneratedBy": [generated_by()], "Medunsup": result.identity}
    facts |= full_record(result) if kind == "dseg" else {"Record": sidecar_path(names.path("dseg")).name}
    return plain(facts)


def full_record(result: "SegmentResult") -> dict[str, Any]:
    """All that is known about how a result came to be, and how good it is."""
    return {
        "Command": result.command,
        "Parameters": result.parameters,
        "Volumes": {
            item.label.abbreviation: {
                "FromFractionsMM3": round(item.from_fractions_mm3, 1),
                "FromLabelsMM3": round(item.from_labels_mm3, 1),
                "FractionOfBrainMask": round(item.fraction_of_intracranial, 5),
            }
            for item in result.tissues
        },
        "BrainMaskMM3": round(result.intracranial_ml * 1000, 1),
        "Quality": {
            "Verdict": result.quality.verdict,
            "Reasons": list(result.quality.reasons),
            "Measures": result.quality.measures,
        },
        "Steps": result.record.as_sidecar(),
        "Versions": package_versions(),
    }


def is_skull_stripped(result: "SegmentResult") -> bool:
    """Whether the scan came without a skull, as the brain mask step found."""
    return any(step.findings.get("already_stripped") for step in result.record.steps)
