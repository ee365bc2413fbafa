"""Clusters of a table or of images: read, count, fit, save; or new rows in clusters that are there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from medunsup.cohort.clusters.folder import (
    FILES,
    LOCK,
    MANIFEST,
    ClusterFolder,
    ClusterManifest,
    FittedClusters,
    images_there,
    read_clusters,
    write_clusters,
)
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.core.errors import ResultThereError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.progress import Stage, Told
from medunsup.core.provenance import plain
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.workflows.cluster.data import ClusterData, read_data, read_new
from medunsup.workflows.cluster.settings import OF_STREAM, ClusterSettings

OF_NEW = {"covariates", "drop_incomplete"}  # choices that new rows have

Made = tuple[ClusterResult, ClusterManifest, FittedClusters | None]


def cluster(
    features: str | Path | FeatureTable,
    out: str | Path | None = None,
    *,
    model: str | Path | None = None,
    encoder: str | Path | None = None,
    stream: bool = False,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> ClusterResult:
    """Find groups among the rows of a table or among images, and say whether there are any.

    Features are brought to one scale. With `k="auto"` the number of clusters follows from one rule, which may
    answer that there are none; a given number is held against rows without clusters all the same.

    Parameters
    ----------
    features : str, Path or FeatureTable
        The table: Parquet, CSV or TSV, as `read_features` reads it. Or a .npz file of images as MedMNIST has
        it, for methods that take images, or with `encoder`.
    out : str or Path, optional
        Folder for clusters.tsv, the page and the fitted model. Without it nothing is written.
    model : str or Path, optional
        Folder of clusters: the rows are assigned to them, and they stay what they are.
    encoder : str or Path, optional
        Folder that `pretrain` made: images are clustered by its features.
    stream : bool, default False
        Read the table (Parquet, or an array in a .npy file) in batches, for one larger than memory; by
        `minibatch_kmeans`, which is then the default. Typicality, figures, effects and the page are of 20,000
        rows at most, drawn evenly; baselines and mean images are left out.
    force : bool, default False
        Replace clusters that are in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now.
    **choices
        What else is chosen, by name:

        - method : str, default "gmm". One of `medunsup.methods("clustering")`.
        - k : int or "auto", default "auto". Number of clusters.
        - max_k : int from 2 to 50, default 10. Most clusters that "auto" tries.
        - parameters : dict, default {}. Parameters of the method by name.
        - components : int, optional. Principal components that features are brought to first.
        - harmonise : str, optional. Column of the site, or scanner, whose offset and spread ComBat takes out.
        - covariates : sequence of str, default (). Columns that are no features; harmonising keeps their
          effect.
        - truth : str, optional. Column of known classes, to measure with; they choose nothing.
        - drop_incomplete : bool, default False. Leave rows out in which a feature is missing.
        - umap : bool, default True. Draw a UMAP beside principal components, where it is installed.
        - seeds : int from 1 to 100, default 10. How often the method is fitted, for the intervals.
        - seed : int, 0 or more, default 0. First seed: its fit is the one that is kept.

    Returns
    -------
    ClusterResult
        Cluster, probabilities and typicality of each row, the verdict, and what it was told by.

    Raises
    ------
    UsageError
        If a choice is wrong, rows are too few, or sites and covariates cannot be told apart.
    MissingError
        If table, model or encoder are not there.
    InputError
        If one of them cannot be used, or the table lacks features of the model.
    ResultThereError
        If `out` holds clusters and `force` is False.
    OutputError
        If `out` holds files of others, or cannot be written.
    DependencyError
        If the method, or the kind of table, needs a package that is not installed.

    Notes
    -----
    A clustering method finds clusters wherever it is asked for them: read the verdict first.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(60, 3))
    >>> rows[:25] += 6
    >>> table = medunsup.FeatureTable(rows, ["a", "b", "c"])
    >>> found = medunsup.cluster(table, method="kmeans", max_k=3, seeds=2, umap=False)
    >>> found.k, found.clusters[0].n
    (2, 35)
    """
    if stream and model is not None:
        raise UsageError(
            f"{option('model')} assigns rows that fit in memory: leave {option('stream', True)} out."
        )
    if stream:
        choices = {"method": OF_STREAM} | choices
    settings = ClusterSettings.parse(choices, "cluster")
    opened = None if model is None else read_clusters(model)
    if opened is not None:
        _refuse_choices(choices, encoder)
    if stream:
        return _streamed(features, settings, encoder, out, force=force, told=progress or (lambda stage: None))
    told = progress or (lambda stage: None)
    folder = None if out is None else user_path(out)
    if folder is None:
        return _made(_read(features, settings, encoder, opened), settings, encoder, opened, None, told)[0]
    with locked(folder / LOCK):
        recover(folder, "clusters")
        _check_folder(folder, features, opened, force=force)
        data = _read(features, settings, encoder, opened)
        result, manifest, fitted = _made(data, settings, encoder, opened, folder, told)
        told(Stage("drawing the page"))
        beside = user_path(features).parent if isinstance(features, str | Path) else Path()
        whole, images = _drawn(result, data, beside)
        write_clusters(folder, result, manifest, fitted, whole, images, data.table.attributes)
        if fitted is not None:
            from medunsup.workflows.cluster.seeds import forget_seeds

            forget_seeds(folder)
    return replace(result, path=folder)


def _drawn(result: ClusterResult, data: ClusterData, beside: Path) -> tuple[str, dict[str, bytes]]:
    """Return the page, and the images of clusters by name."""
    from medunsup.report.cluster.page import page

    if data.shown is not None:
        from medunsup.report.cluster.images import cluster_pictures, image_pictures

        rows = [row for one in result.clusters for row in (*one.exemplars, *one.outliers)]
        pictures = image_pictures(data.shown, rows)
        return page(
            result, pictures, cluster_pictures(data.shown, result.labels, result.k), is_images=True
        ), {}
    from medunsup.report.cluster.scans import mean_pictures
    from medunsup.workflows.cluster.images import as_files, seen

    means, pictures = seen(result, data.table.attributes, beside)
    return page(result, pictures, mean_pictures(means)), as_files(means)


def _streamed(
    features: str | Path | FeatureTable,
    settings: ClusterSettings,
    encoder: str | Path | None,
    out: str | Path | None,
    *,
    force: bool,
    told: Told,
) -> ClusterResult:
    from medunsup.workflows.cluster.streamed import open_rows, streamed

    if isinstance(features, FeatureTable) or encoder is not None:
        raise UsageError(f"{option('stream', True)} is for a table on disk: Parquet, or an array (.npy).")
    if out is None:
        return streamed(open_rows(features, settings), settings, told)[0]
    folder = user_path(out)
    with locked(folder / LOCK):
        recover(folder, "clusters")
        _check_folder(folder, features, None, force=force)
        stream = open_rows(features, settings)
        result, fitted, shown = streamed(stream, settings, told)
        told(Stage("drawing the page"))
        from medunsup.report.cluster.page import page

        manifest = ClusterManifest(
            method=result.method,
            fitted=fitted.method.method_name,
            parameters=plain(fitted.method.get_params()),
            features=result.names,
            preparation=plain(fitted.preparation.described()),
            covariates=tuple(dict.fromkeys([*result.covariates, *filter(None, (settings.truth,))])),
        )
        made = stream.table.attributes
        write_clusters(folder, result, manifest, fitted, page(shown), attributes=made)
    return replace(result, path=folder)


def _made(
    data: ClusterData,
    settings: ClusterSettings,
    encoder: str | Path | None,
    opened: ClusterFolder | None,
    out: Path | None,
    told: Told,
) -> Made:
    if opened is not None:
        from medunsup.workflows.cluster.applied import applied

        about = opened.manifest
        return applied(data, opened), about.model_copy(update={"has_model": False, "sha256": {}}), None
    from medunsup.workflows.cluster.fitted import fitted

    result, made = fitted(data, settings, out, told)
    manifest = ClusterManifest(
        method=result.method,
        fitted=made.method.method_name,
        parameters=plain(made.method.get_params()),
        features=result.names,
        image_shape=None if data.images is None else tuple(data.images.shape[1:]),
        encoder=None if encoder is None else str(user_path(encoder).resolve()),
        preparation=plain(made.preparation.described()),
        harmonise=settings.harmonise,
        covariates=tuple(dict.fromkeys([*data.table.covariates, *filter(None, (settings.truth,))])),
        kept=settings.covariates if settings.harmonise else (),
    )
    return result, manifest, made


def _read(
    features: str | Path | FeatureTable,
    settings: ClusterSettings,
    encoder: str | Path | None,
    opened: ClusterFolder | None,
) -> ClusterData:
    if opened is None:
        return read_data(features, settings, encoder)
    return read_new(features, settings, opened.manifest.encoder, opened.manifest.covariates)


def _refuse_choices(choices: dict[str, Any], encoder: str | Path | None) -> None:
    given = [*sorted(choices.keys() - OF_NEW), *(["encoder"] if encoder is not None else [])]
    if given:
        raise UsageError(
            f"{option('model')} has its method and all that belongs to it: leave {', '.join(given)} out."
        )


def _check_folder(
    folder: Path, features: str | Path | FeatureTable, opened: ClusterFolder | None, *, force: bool
) -> None:
    if (folder / MANIFEST).exists() and not force:
        raise ResultThereError(
            f"{folder}: holds clusters. Pass {option('force', True)} to replace them, or choose another "
            f"folder with {option('out')}."
        )
    read = [user_path(features)] if isinstance(features, str | Path) else []
    refuse_foreign_files(folder, (*FILES, *images_there(folder)), MANIFEST, read=read, force=force)
    if opened is not None and opened.path.resolve() == folder.resolve():
        raise UsageError(f"{folder}: is the model itself. Choose another folder with {option('out')}.")
