"""`medunsup cluster`: groups among the rows of a table or among images, and among the voxels of one scan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.groups import of_tables
from medunsup.cli.shared import options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import check_outputs, listed, read_clustering, read_parameters, typed
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.cohort.clusters.patches import PatchClusters
    from medunsup.cohort.clusters.result import ClusterResult


def _methods() -> list[str]:
    """Complete --method."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("clustering")]


Features = Annotated[Path, of_tables.features("; or images (.npz)")]
Out = Annotated[Path, of_tables.out("clusters and their page")]
Method = Annotated[str | None, of_tables.method("clustering", "gmm")]
K = Annotated[
    str | None,
    option("Method", "--k", metavar="N", help="Number of clusters; by default auto, which may find none."),
]
MaxK = Annotated[
    int | None, option("Method", "--max-k", metavar="N", help="Most clusters that auto tries; by default 10.")
]
Components = Annotated[
    int | None,
    option("Method", "--components", metavar="N", help="Principal components to bring features to first."),
]
Seeds = Annotated[
    int | None, option("Method", "--seeds", metavar="N", help="How often it is fitted; by default 10.")
]
Model = Annotated[Path | None, of_tables.model("cluster")]
Encoder = Annotated[
    Path | None,
    option("Input", "--encoder", metavar="FOLDER", help="Of images, cluster the features of this encoder."),
]
Harmonise = Annotated[
    str | None,
    option(
        "Input",
        "--harmonise",
        metavar="NAME",
        help="Column of the site, or scanner, to take out; effects of --covariates are kept.",
    ),
]
Truth = Annotated[
    str | None,
    option("Input", "--truth", metavar="NAME", help="Column of known classes, to measure with alone."),
]
NoUmap = Annotated[bool, option("Input", "--no-umap", help="Draw no UMAP beside principal components.")]
Scan = Annotated[
    Path,
    typer.Argument(
        metavar="SCAN", help="A NIfTI or MGZ file, or a folder of DICOM files.", show_default=False
    ),
]
PatchOut = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="For labels and page.", show_default=False)
]
PatchK = Annotated[
    str,
    option("Method", "--k", metavar="N", help="Number of clusters, or auto, which may find none."),
]
PatchMaxK = Annotated[
    int, option("Method", "--max-k", metavar="N", help="Most clusters that auto tries; by default 8.")
]
PatchMethod = Annotated[
    str,
    option(
        "Method",
        "--method",
        metavar="NAME",
        help="One of `medunsup methods clustering` that is not deep.",
        autocompletion=_methods,
    ),
]
PatchEncoder = Annotated[
    Path | None,
    option(
        "Input", "--encoder", metavar="FOLDER", help="Cluster what this encoder of scans makes of voxels."
    ),
]


@verb()
def cluster(
    features: Features,
    out: Out,
    *,
    config: Annotated[str | None, options.preset("cluster")] = None,
    method: Method = None,
    k: K = None,
    max_k: MaxK = None,
    components: Components = None,
    harmonise: Harmonise = None,
    covariates: of_tables.Covariates = None,
    truth: Truth = None,
    drop_incomplete: of_tables.DropIncomplete = False,
    model: Model = None,
    encoder: Encoder = None,
    stream: of_tables.Stream = False,
    set_: options.SetValue = None,
    seeds: Seeds = None,
    seed: options.Seed = None,
    no_umap: NoUmap = False,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Find groups among the rows of a table, or say that there are none; or assign new rows to such groups.

    Writes clusters.tsv, clusters.json, the fitted model and report.html. Read the verdict first: every method
    makes clusters, also where there are none.
    """
    given = {
        "method": method,
        "k": None if k is None else typed(k),
        "max_k": max_k,
        "components": components,
        "harmonise": harmonise,
        "covariates": listed(covariates),
        "truth": truth,
        "drop_incomplete": drop_incomplete or None,
        "seeds": seeds,
        "seed": seed,
        "umap": False if no_umap else None,
    }
    chosen = read_clustering(config, given, set_ or [])
    with stages(telling.quiet) as told:
        from medunsup.workflows.cluster.cluster import cluster as find

        result = find(
            features, out, model=model, encoder=encoder, stream=stream, force=force, progress=told, **chosen
        )
    _print(result, out, telling)


def _print(result: "ClusterResult", out: Path, telling: options.Telling) -> None:
    from medunsup.cohort.clusters.record import as_record
    from medunsup.cohort.clusters.words import sentences
    from medunsup.core.provenance import plain

    if telling.as_json:
        print_json(plain(as_record(result)))
        return
    if telling.quiet:
        return
    typer.echo(result.verdict)
    for sentence in sentences(result):
        typer.echo(f"  {sentence}")
    for remark in result.remarks:
        typer.echo(f"  {remark}", err=True)
    typer.echo(f"  -> {out / 'report.html'}")


@verb()
def cluster_patches(
    scan: Scan,
    out: PatchOut,
    *,
    encoder: PatchEncoder = None,
    k: PatchK = "6",
    max_k: PatchMaxK = 8,
    method: PatchMethod = "minibatch_kmeans",
    set_: options.SetValue = None,
    seed: options.Seed = None,
    reading: options.Reading,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Cluster the voxels of one scan by brightness and texture, or by an encoder's features.

    Writes a label volume in the scan's space, ordered from the darkest cluster, its table and a page.
    Clusters are no tissues and no findings.
    """
    from medunsup.cli.shared.progress import display
    from medunsup.workflows.cluster_patches.patches import cluster_patches as find

    check_outputs([scan], out)
    with display([scan], telling.quiet) as shown:
        result = find(
            scan,
            out,
            encoder=encoder,
            k=typed(k),
            max_k=max_k,
            method=method,
            parameters=read_parameters(set_ or []),
            seed=seed or 0,
            mask=None if reading.mask is None else Path(reading.mask),
            force=force,
            progress=lambda text: shown.step(scan, text),
            **reading.choices,
        )
    _print_patches(result, out, telling)


def _print_patches(result: "PatchClusters", out: Path, telling: options.Telling) -> None:
    if telling.as_json:
        print_json(result.as_record())
        return
    if telling.quiet:
        return
    typer.echo(f"{result.title}  -> {out / 'report.html'}")
    for one in result.clusters:
        typer.echo(f"  {one.label.name}: {one.ml:.1f} ml, mean intensity {one.mean_intensity:.4g}")
    for remark in result.remarks:
        typer.echo(f"  {remark}", err=True)
