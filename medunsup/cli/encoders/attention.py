"""`medunsup attention`: where a pretrained encoder looks in a scan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.settings import check_outputs
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.cohort.encoders.attended import AttentionResult

EncoderFolder = Annotated[
    Path, typer.Argument(metavar="ENCODER", help="What `medunsup pretrain` made.", show_default=False)
]
Scan = Annotated[
    Path,
    typer.Argument(
        metavar="SCAN", help="A NIfTI or MGZ file, or a folder of DICOM files.", show_default=False
    ),
]
Out = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="For maps and page.", show_default=False)
]
Beside = Annotated[
    Path | None,
    option(
        "Input",
        "--beside",
        metavar="FOLDER",
        help="What `medunsup finetune` made; the same maps of its network are added.",
    ),
]


@verb()
def attention(
    encoder: EncoderFolder,
    scan: Scan,
    out: Out,
    *,
    beside: Beside = None,
    reading: options.Reading,
    cache: model_options.Cache = None,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Show where a pretrained encoder looks in a scan.

    Of vit: attention of the last block, a map for each head and their mean. Of other encoders: strength of
    feature maps at three depths. Writes maps in native space and a page. A map shows where a network looks,
    not disease.
    """
    from medunsup.cli.shared.progress import display
    from medunsup.workflows.attention.attention import attention as look

    check_outputs([scan], out)
    with display([scan], telling.quiet) as shown:
        result = look(
            encoder,
            scan,
            out,
            beside=beside,
            mask=None if reading.mask is None else Path(reading.mask),
            cache=cache,
            force=force,
            progress=lambda text: shown.step(scan, text),
            **reading.choices,
        )
    _print(result, out, telling)


def _fine_first(name: str) -> tuple[int, str]:
    depths = ("fine", "middle", "coarse")
    return depths.index(name) if name in depths else len(depths), name


def _print(result: "AttentionResult", out: Path, telling: options.Telling) -> None:
    from medunsup.core.provenance import plain

    if telling.as_json:
        facts = {"kind": result.kind, "scales": result.scales, "beside_scales": result.beside_scales}
        print_json(plain({**facts, "encoder": result.about, "remarks": result.remarks}))
        return
    if telling.quiet:
        return
    kind = "strength of feature maps" if result.kind == "activation" else result.kind
    typer.echo(f"{kind}: {', '.join(sorted(result.maps, key=_fine_first))}  -> {out}")
    typer.echo("  A map shows where the network looks, not disease.")
    for remark in result.remarks:
        typer.echo(f"  {remark}", err=True)
