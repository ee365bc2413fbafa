"""`medunsup watch`: series that arrive, each processed once."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medunsup.cli.shared import dicom_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.settings import read_settings
from medunsup.cli.shared.verb import verb
from medunsup.core.version import __version__

if TYPE_CHECKING:
    from medunsup.workflows.watch.result import WatchedSeries


class Run(StrEnum):
    """What is done with each series."""

    segment = "segment"
    detect = "detect"


Out = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="For the results.", show_default=False)
]
What = Annotated[Run, options.option("Run", "--run", help="What is done with each series.")]
Inbox = Annotated[
    Path | None,
    options.option("Source", "--folder", metavar="FOLDER", help="Look into a folder, not to the network."),
]
Aet = Annotated[str, options.option("Source", "--aet", metavar="TITLE", help="Our AE title.")]
Port = Annotated[
    int, options.option("Source", "--port", metavar="NUMBER", min=0, max=65535, help="To listen on.")
]
Host = Annotated[
    str,
    options.option(
        "Source", "--host", metavar="ADDRESS", help="To listen on; by default this computer's alone."
    ),
]
Senders = Annotated[
    str | None,
    options.option("Source", "--from", metavar="TITLES", help="AE titles that may send, parted by commas."),
]
Model = Annotated[
    str | None, options.option("Run", "--model", metavar="FOLDER", help="Model for --run detect.")
]
SpoolFolder = Annotated[
    Path | None,
    options.option(
        "Output", "--spool", metavar="FOLDER", help="For what arrives; by default beside -o, FOLDER_spool."
    ),
]
QuietFor = Annotated[
    float,
    options.option("Run", "--quiet-for", metavar="SECONDS", help="Without news, a series is complete."),
]
Once = Annotated[bool, options.option("Run", "--once", help="End when all that arrived is processed.")]


@verb(kept="what arrived is in the spool: the same command again goes on")
def watch(
    out: Out,
    *,
    run: What = Run.segment,
    folder: Inbox = None,
    aet: Aet = "MEDUNSUP",
    port: Port = 11112,
    host: Host = "127.0.0.1",
    from_: Senders = None,
    model: Model = None,
    method: options.Method = None,
    config: options.Config = None,
    set_: options.SetValue = None,
    spool: SpoolFolder = None,
    quiet_for: QuietFor = 10.0,
    once: Once = False,
    no_report: options.NoReport = False,
    dicom: dicom_options.WithDicom = False,
    binary: dicom_options.Binary = False,
    telling: options.Telling,
) -> int:
    """Wait for DICOM series, from the network or in a folder, and process each complete one once.

    The spool holds patients' images, and nothing is encrypted: see docs/dicom_network.md.
    Exit codes: 0 done, 1 a series ended in an error (both with --once), 2 wrong use, 130 interrupted,
    143 ended from outside.
    """
    from medunsup.workflows.watch.watch import watch as watch_for_series

    choices: dict[str, Any] = {}
    if method or config or set_:
        settings = read_settings(config, {"method": method}, set_ or [])
        choices = settings.model_dump(exclude_unset=True)
    dicom_options.check((), dicom, None, binary)
    became = watch_for_series(
        out,
        run=run.value,
        folder=folder,
        aet=aet,
        port=port,
        host=host,
        senders=[title.strip() for title in (from_ or "").split(",") if title.strip()],
        model=model,
        spool=spool,
        quiet_for=quiet_for,
        once=once,
        report=not no_report,
        dicom="binary" if binary else dicom,
        finished=None if telling.as_json or telling.quiet else _print_line,
        **choices,
    )
    code = 1 if any(series.status == "error" for series in became) else 0
    if telling.as_json:
        told = [_as_json(series) for series in became]
        print_json({"medunsup": __version__, "exit_code": code, "series": told})
    return code


def _as_json(series: "WatchedSeries") -> dict[str, Any]:
    return {
        "series": str(series.folder),
        "status": series.status,
        "error": series.error,
        "warnings": list(series.warnings),
        "outputs": {kind: str(path) for kind, path in (series.outputs or {}).items()},
    }


def _print_line(series: "WatchedSeries") -> None:
    """Print what became of one series: its name, and where to look."""
    files = series.outputs or {}
    where = files.get("report") or next(iter(files.values()), None)
    text = series.error or (f"-> {where}" if where else "")
    typer.echo(f"{series.folder.name}: {series.status} {text}".rstrip())
    for warning in series.warnings:
        typer.echo(f"  {warning}", err=True)
