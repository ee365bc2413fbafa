"""Every option of `medunsup segment`, once, so that other verbs can share them."""

from pathlib import Path
from typing import Annotated, Any

import typer


def _option(panel: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **more)


def _methods() -> list[str]:
    """Complete --method."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("tissue")]


def _presets() -> list[str]:
    """Complete --config."""
    from medunsup.core.config import presets

    return list(presets("segment"))


def _contrasts() -> list[str]:
    """Complete --contrast."""
    return ["auto", "T1w", "T2w", "FLAIR", "PD"]


def _brains() -> list[str]:
    """Complete --brain."""
    return ["auto", "atlas", "stripped", "deepbet"]


Scans = Annotated[
    list[Path], typer.Argument(help="NIfTI or MGZ files, or DICOM folders.", show_default=False)
]
Out = Annotated[
    Path | None, typer.Option("-o", "--out", help="Folder for the results; by default beside each scan.")
]
Mask = Annotated[
    str | None, _option("Input", help="Brain mask; for many scans a pattern: '{folder}/{stem}_mask.nii.gz'.")
]
Brain = Annotated[
    str | None,
    _option(
        "Input",
        help="How to find the brain without --mask: auto (the default), atlas, stripped or deepbet.",
        autocompletion=_brains,
    ),
]
With = Annotated[
    list[str] | None, _option("Input", "--with", help="Another contrast of the head: T2w=scan_T2w.nii.gz.")
]
Contrast = Annotated[
    str | None,
    _option("Input", help="T1w, T2w, FLAIR, PD, or auto (the default).", autocompletion=_contrasts),
]
Series = Annotated[str | None, _option("Input", help="DICOM series, by number or UID.")]
VolumeIndex = Annotated[int | None, _option("Input", "--volume", help="Volume of a 4D file, from 0.")]
Tissues = Annotated[
    str | None, _option("Method", help="3 (the default: GM, WM, CSF), another number, or auto.")
]
Method = Annotated[
    str | None,
    _option("Method", help="By default atlas_gmm; see `medunsup methods`.", autocompletion=_methods),
]
Config = Annotated[
    str | None,
    _option("Method", "--config", help="Preset or YAML file; options win over it.", autocompletion=_presets),
]
SetValue = Annotated[
    list[str] | None, _option("Method", "--set", help="A parameter of the method: key=value.")
]
Seed = Annotated[int | None, _option("Method", help="Seed of every random choice; by default 0.")]
LearnPrior = Annotated[
    bool,
    _option(
        "Method", "--learn-prior", help="Let all scans refine the prior: segment, average, segment again."
    ),
]
Jobs = Annotated[int, _option("Run", "-j", "--jobs", min=1, help="Scans at the same time.")]
Force = Annotated[bool, _option("Run", "--force", help="Replace results that are there.")]
NoReport = Annotated[bool, _option("Run", "--no-report", help="Write no HTML page.")]
DryRun = Annotated[bool, _option("Run", "--dry-run", help="Say what would be done; write nothing.")]
Quiet = Annotated[bool, _option("Run", "-q", "--quiet", help="Say nothing but errors.")]
AsJson = Annotated[bool, _option("Run", "--json", help="Print one JSON object on stdout.")]
Debug = Annotated[bool, _option("Run", "--debug", help="Show tracebacks and the log.")]
