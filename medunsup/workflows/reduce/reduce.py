"""A map of a table of features: read, place, measure, save; or new rows placed on a map that is there."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.feature_table.read import read_features
from medunsup.cohort.feature_table.stream import FeatureStream, open_stream
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.maps.folder import FILES, LOCK, MANIFEST, MapFolder, images_there, read_map, write_map
from medunsup.cohort.maps.result import ReductionResult
from medunsup.core.errors import ResultThereError, UsageError
from medunsup.core.hints import option
from medunsup.core.passes import Passes
from medunsup.core.paths import user_path
from medunsup.core.progress import Stage, Told
from medunsup.core.registry import method as method_named
from medunsup.core.watching import watched
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.workflows.reduce.images import along_axes, as_files
from medunsup.workflows.reduce.placed import placed
from medunsup.workflows.reduce.settings import ReduceSettings

if TYPE_CHECKING:
    from medunsup.reduction.base import Reduction
    from medunsup.report.reduce.axes import AxisImages

OF_STREAM = "pca"  # the method for rows that are read in batches


def reduce(
    features: str | Path | FeatureTable,
    out: str | Path | None = None,
    *,
    model: str | Path | None = None,
    stream: bool = False,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> ReductionResult:
    """Place the rows of a table on two axes, or new rows on a map that is there.

    Parameters
    ----------
    features : str, Path or FeatureTable
        The table: Parquet, CSV or TSV, as `read_features` reads it.
    out : str or Path, optional
        Folder for map.tsv, the page and the fitted method. Without it nothing is written.
    model : str or Path, optional
        Folder of a map: the rows are placed on it, and it stays what it is.
    stream : bool, default False
        Read the table (Parquet, or an array in a .npy file) in batches, for one larger than memory; by `pca`,
        which is then the default. Its axes are those of all rows.
    force : bool, default False
        Replace a map that is in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now, and by `autoencoder` epoch and loss.
    **choices
        What else is chosen, by name:

        - method : str, default "umap". One of `medunsup.methods("reduction")`.
        - parameters : dict, default {}. Parameters of the method by name.
        - covariates : sequence of str, default (). Columns of the table that are no features.
        - colour : str, optional. Covariate that the picture is coloured by.
        - drop_incomplete : bool, default False. Leave rows out in which a feature is missing.
        - seed : int, 0 or more, default 0. Seed of the layout, for methods that draw.

    Returns
    -------
    ReductionResult
        Places of the rows, and how well they keep neighbours.

    Raises
    ------
    UsageError
        If a choice is wrong, or there are too few rows for the method.
    MissingError
        If table or map are not there.
    InputError
        If table or map cannot be used, or the table lacks features of the map.
    ResultThereError
        If `out` holds a map and `force` is False.
    OutputError
        If `out` holds files of others, or cannot be written.
    DependencyError
        If the method, or the kind of table, needs a package that is not installed.

    Notes
    -----
    By t-SNE and UMAP, distances between groups, their sizes and the space between them mean little, and
    groups appear in plain noise as well.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(30, 4))
    >>> table = medunsup.FeatureTable(rows, ["a", "b", "c", "d"])
    >>> found = medunsup.reduce(table, method="pca")
    >>> found.places.shape, round(sum(found.figures.explained), 2)
    ((30, 2), 0.64)
    """
    told = progress or (lambda stage: None)
    if stream:
        _check_stream(features, model, choices)
        choices = {"method": OF_STREAM} | choices
    settings = ReduceSettings.parse(choices, "reduce")
    opened = None if model is None else read_map(model)
    if opened is not None and ({"method", "parameters", "seed"} & choices.keys()):
        raise UsageError(
            f"{option('model')} has its method and parameters: leave {option('method')}, "
            f"{option('parameters')} and {option('seed')} out."
        )
    told(Stage("reading"))
    table = (
        open_stream(features, covariates=settings.no_features)  # type: ignore[arg-type]
        if stream
        else _read(features, settings, is_new=opened is not None)
    )
    if out is None:
        return _found(table, settings, opened, told)[0]
    folder = user_path(out)
    with locked(folder / LOCK):
        recover(folder, "map")
        if (folder / MANIFEST).exists() and not force:
            raise ResultThereError(
                f"{folder}: holds a map. Pass {option('force', True)} to replace it, or choose another "
                f"folder with {option('out')}."
            )
        read = [user_path(features)] if isinstance(features, str | Path) else []
        refuse_foreign_files(folder, (*FILES, *images_there(folder)), MANIFEST, read=read, force=force)
        if opened is not None and opened.path.resolve() == folder.resolve():
            raise UsageError(f"{folder}: is the map itself. Choose another folder with {option('out')}.")
        result, reduction = _found(table, settings, opened, told)
        told(Stage("drawing the page", 1.0))
        images = None
        if result.loadings is not None:
            words = table.table if isinstance(table, FeatureStream) else table
            beside = user_path(features).parent if isinstance(features, str | Path) else Path()
            images = along_axes(result.places, words, beside)
        files = {} if images is None else as_files(images)
        write_map(folder, result, None if opened else reduction, _page(result, images), files)
    return replace(result, path=folder)


def _check_stream(
    features: str | Path | FeatureTable, model: str | Path | None, choices: Mapping[str, Any]
) -> None:
    """Raise UsageError for a choice that cannot be followed in batches."""
    asked = option("stream", True)
    if isinstance(features, FeatureTable):
        raise UsageError(f"{asked} is for a table on disk: Parquet, or an array (.npy).")
    if model is not None:
        raise UsageError(f"{option('model')} places rows that fit in memory: leave {asked} out.")
    if choices.get("drop_incomplete"):
        raise UsageError(f"{option('drop_incomplete', True)} needs all rows in memory: a stream takes all.")
    if choices.get("method", OF_STREAM) != OF_STREAM:
        raise UsageError(
            f"{asked} reads rows in batches, which {choices['method']} cannot be fitted by. Give "
            f"{option('method', OF_STREAM)}."
        )


def _found(
    table: FeatureTable | FeatureStream, settings: ReduceSettings, opened: MapFolder | None, told: Told
) -> tuple[ReductionResult, "Reduction"]:
    words = table.table if isinstance(table, FeatureStream) else table
    colour = (settings.colour, words.column(settings.colour)) if settings.colour else ("", ())
    if opened is not None and isinstance(table, FeatureTable):
        return placed(table, opened, colour)
    from medunsup.workflows.reduce.fitted import fitted, streamed

    made: Any = method_named("reduction", settings.method)
    given = dict(settings.parameters)
    if "seed" in made.Config.model_fields:
        given = {"seed": settings.seed} | given
    parameters = made.Config.parse(given, where=settings.method).model_dump()
    stage = Stage(f"placing rows by {settings.method}")
    told(stage)
    with watched(Passes(stage, 1, parameters, told)):
        if isinstance(table, FeatureStream):
            pca = made(**parameters)
            return streamed(table, pca, colour), pca
        return fitted(table, made(**parameters), colour)


def _read(features: str | Path | FeatureTable, settings: ReduceSettings, *, is_new: bool) -> FeatureTable:
    if isinstance(features, FeatureTable):
        return features
    return read_features(
        features,
        covariates=settings.no_features,
        drop_incomplete=settings.drop_incomplete,
        drop_constant=not is_new,
    )


def _page(result: ReductionResult, images: "AxisImages | None") -> str:
    from medunsup.report.reduce.page import page

    return page(result, images)
