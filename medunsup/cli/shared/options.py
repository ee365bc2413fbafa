"""Every option of `medunsup segment`, once, and those in groups that other verbs share."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class FailingVerdict(StrEnum):
    """From which verdict on a run counts as failed."""

    check = "check"
    fail = "fail"


def option(panel: str, *names: str, **more: Any) -> Any:
    """Declare an option under a heading of the help."""
    return typer.Option(*names, rich_help_panel=panel, **more)


def _methods() -> list[str]:
    """Complete --method."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("tissue")]


def preset(verb: str) -> Any:
    """Declare --config, which names one of a verb's presets or a file."""

    def complete() -> list[str]:
        from medunsup.core.config import presets

        return list(presets(verb))

    help_ = "Preset or YAML file; options win over it."
    return option("Method", "--config", metavar="NAME", help=help_, autocompletion=complete)


def _contrasts() -> list[str]:
    """Complete --contrast."""
    return ["auto", "T1w", "T2w", "FLAIR", "PD"]


def _coordinates() -> list[str]:
    """Complete --coordinates."""
    return ["auto", "sform", "qform"]


def _brains() -> list[str]:
    """Complete --brain."""
    return ["auto", "atlas", "stripped", "deepbet"]


Scans = Annotated[
    list[Path],
    typer.Argument(
        metavar="SCANS", help="NIfTI or MGZ files, folders of these, or DICOM folders.", show_default=False
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FOLDER",
        help="For the results; by default beside each scan, or for a scan named after BIDS in its data set's "
        "derivatives/medunsup.",
    ),
]
Mask = Annotated[
    str | None,
    option(
        "Input",
        metavar="FILE",
        help="Brain mask. For many scans a pattern with {folder}, {stem} (the scan's name without .nii.gz) "
        "and {id} (the stem without its last _part): '{folder}/{id}_mask.nii.gz'.",
    ),
]
Brain = Annotated[
    str | None,
    option(
        "Input",
        metavar="HOW",
        help="How to find the brain without --mask: auto (the default), atlas, stripped or deepbet.",
        autocompletion=_brains,
    ),
]
BrainOfMany = Annotated[
    str | None,
    option(
        "Input",
        "--brain",
        metavar="HOW",
        help="How to find the brain: auto (the default), atlas, stripped or deepbet.",
        autocompletion=_brains,
    ),
]
With = Annotated[
    list[str] | None,
    option(
        "Input",
        "--with",
        metavar="NAME=FILE",
        help="Another contrast of the same head: T2w=scan_T2w.nii.gz; for many scans a pattern as in --mask. "
        "Scans in register are taken as they are, one that moved is registered rigidly with a warning, a "
        "mirrored one or one of another head is refused.",
    ),
]
Contrast = Annotated[
    str | None,
    option(
        "Input",
        metavar="NAME",
        help="T1w, T2w, FLAIR, PD, or auto (the default).",
        autocompletion=_contrasts,
    ),
]
Series = Annotated[str | None, option("Input", metavar="NUMBER", help="DICOM series, by its number or UID.")]
VolumeIndex = Annotated[
    int | None, option("Input", "--volume", metavar="INDEX", help="Volume of a 4D file, from 0.")
]
Coordinates = Annotated[
    str | None,
    option(
        "Input",
        metavar="NAME",
        help="Which of a NIfTI file's coordinate systems to use if they differ: sform, qform, or auto (the "
        "default: the sform, unless it is unusable or rescales the head). For mask and contrasts too.",
        autocompletion=_coordinates,
    ),
]
Tissues = Annotated[
    str | None,
    option("Method", metavar="NUMBER", help="3 (the default: GM, WM, CSF), another number, or auto."),
]
Method = Annotated[
    str | None,
    option(
        "Method",
        metavar="NAME",
        help="By default atlas_gmm; see `medunsup methods`.",
        autocompletion=_methods,
    ),
]
Config = Annotated[str | None, preset("segment")]
SetValue = Annotated[
    list[str] | None,
    option(
        "Method",
        "--set",
        metavar="KEY=VALUE",
        help="A parameter of the method, as `medunsup methods NAME` lists them; may be repeated.",
    ),
]
Seed = Annotated[
    int | None, option("Method", metavar="NUMBER", help="Seed of every random choice; by default 0.")
]
LearnPrior = Annotated[
    bool,
    option(
        "Method",
        "--learn-prior",
        help="Let all scans refine the prior: segment, average, segment again. The results must go to one "
        "folder: one that is given for them, or a BIDS data set's own.",
    ),
]
Jobs = Annotated[int, option("Run", "-j", "--jobs", metavar="NUMBER", min=1, help="Scans at the same time.")]
Force = Annotated[bool, option("Run", "--force", help="Replace results that are there.")]
NoReport = Annotated[bool, option("Run", "--no-report", help="Write no HTML page.")]
FailOn = Annotated[
    FailingVerdict | None,
    option(
        "Run",
        "--fail-on",
        metavar="VERDICT",
        help="End with exit code 3 if a scan's verdict is fail, or with `check` if it is check or fail.",
    ),
]
DryRun = Annotated[bool, option("Run", "--dry-run", help="Say what would be done; write nothing.")]
Quiet = Annotated[bool, option("Run", "-q", "--quiet", help="Say nothing but errors.")]
AsJson = Annotated[bool, option("Run", "--json", help="Print one JSON object on stdout.")]
Debug = Annotated[bool, option("Run", "--debug", help="Show tracebacks and the log.")]


@dataclass(frozen=True)
class Reading:
    """How a scan is read."""

    mask: Mask = None
    brain: Brain = None
    contrast: Contrast = None
    series: Series = None
    volume: VolumeIndex = None
    coordinates: Coordinates = None

    @property
    def choices(self) -> dict[str, Any]:
        """What is chosen of it beside the mask, by parameter; None where nothing is."""
        return {key: value for key, value in vars(self).items() if key != "mask"}


@dataclass(frozen=True)
class Segmenting:
    """How scans are segmented."""

    method: Method = None
    config: Config = None
    set_: SetValue = None
    seed: Seed = None
    learn_prior: LearnPrior = False

    @property
    def choices(self) -> dict[str, Any]:
        """What is chosen beside preset and parameters of the method; None where nothing is."""
        return {"method": self.method, "seed": self.seed, "learn_prior": self.learn_prior or None}


@dataclass(frozen=True)
class Running:
    """How a run works through scans, and when it counts as failed."""

    jobs: Jobs = 1
    force: Force = False
    no_report: NoReport = False
    fail_on: FailOn = None
    dry_run: DryRun = False


@dataclass(frozen=True)
class Telling:
    """How much is said, and in which form."""

    quiet: Quiet = False
    as_json: AsJson = False
    debug: Debug = False
