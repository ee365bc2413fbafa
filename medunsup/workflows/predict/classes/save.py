"""Save predicted classes: tables, sidecar and page, all of them or none."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.sidecar import ResultSidecar, map_facts
from medunsup.core.record import Record
from medunsup.io.bids.derivatives import check_root, refuse_overwrite, write_root
from medunsup.io.bids.names import sidecar_path
from medunsup.io.bids.outputs import Derivative, Output
from medunsup.io.files.atomic import write_bytes, write_json, write_text
from medunsup.io.files.transaction import Staging, unwritable
from medunsup.io.files.tsv import tsv
from medunsup.report.base.drawing import is_drawn
from medunsup.workflows.predict.class_outputs import (
    CLASSES,
    CLASSES_DERIVATIVE,
    IMAGES,
    IMAGES_DERIVATIVE,
)
from medunsup.workflows.predict.class_sidecar import ClassSidecar, ImagesSidecar
from medunsup.workflows.predict.outputs import PREPARED, REPORT, THUMBNAIL
from medunsup.workflows.predict.request import PredictRequest
from medunsup.workflows.predict.save import grid_words

if TYPE_CHECKING:
    from medunsup.supervised.class_prediction import ClassPrediction, ImagePredictions

Place = Callable[[Output], Path]  # where a file is written before all are published
Draw = Callable[[Place], None]


def write_class(result: "ClassPrediction", request: PredictRequest, force: bool) -> None:
    """Write what is told of a scan, in a folder that is locked already; raises what `save.write` does."""

    def draw(place: Place) -> None:
        from medunsup.report.predict.class_page import write_class_page
        from medunsup.report.predict.slices import plain_thumbnail

        picture = plain_thumbnail(result.image, result.brain)  # first, so that a defect leaves neither
        colours = {label.name: label.hex for label in request.network.labels}
        write_class_page(result, place(REPORT), colours=colours, command=request.command())
        write_bytes(place(THUMBNAIL), picture)

    def add_map(staging: Staging) -> None:
        from medunsup.io.nifti.write import write_volume

        path, derivative = request.names.path(PREPARED), CLASSES_DERIVATIVE
        write_volume(result.prepared, staging.place(path), descrip="medunsup prepared")
        facts = map_facts(PREPARED, request.names, request.scan.path, request.identity(), derivative.record)
        facts["SpatialReference"] = grid_words(result.network)
        write_json(staging.place(sidecar_path(path)), facts)

    _write(
        request,
        CLASSES_DERIVATIVE,
        {CLASSES: classes_tsv(result)},
        (result.record, draw),
        lambda: ClassSidecar.of_result(result, request.command(), request.identity()),
        add_map if request.prepared else lambda staging: None,
        force=force,
    )


def write_images(result: "ImagePredictions", request: PredictRequest, force: bool) -> None:
    """Do the same for the images of a file."""

    def draw(place: Place) -> None:
        from medunsup.report.predict.images_page import write_images_page

        colours = {label.name: label.hex for label in request.network.labels}
        write_images_page(
            result, place(REPORT), file=request.scan.path.name, colours=colours, command=request.command()
        )

    _write(
        request,
        IMAGES_DERIVATIVE,
        {IMAGES: images_tsv(result)},
        (result.record, draw),
        lambda: ImagesSidecar.of_result(result, request.command(), request.identity()),
        lambda staging: None,
        force=force,
    )


def classes_tsv(result: "ClassPrediction") -> str:
    """List the probability of each class."""
    rows = [(name, f"{one:.6g}") for name, one in result.probabilities.items()]
    return tsv([("class", "probability"), *rows])


def images_tsv(result: "ImagePredictions") -> str:
    """One row an image: likeliest class, probability of each, flags."""
    each = zip(result.names, result.predicted, result.probabilities, result.flags, strict=True)
    rows = [
        (name, said, *(f"{one:.6g}" for one in row), ",".join(flag.name for flag in flags) or "none")
        for name, said, row, flags in each
    ]
    return tsv([("image", "prediction", *(f"p_{name}" for name in result.classes), "flags"), *rows])


def _write(
    request: PredictRequest,
    derivative: Derivative,
    tables: Mapping[Output, str],
    drawing: tuple[Record, Draw],
    record: Callable[[], ResultSidecar],
    add_map: Callable[[Staging], None],
    *,
    force: bool,
) -> None:
    names = request.names
    if not force:
        refuse_overwrite(names, derivative.outputs)
    if names.is_bids and names.root is not None:
        check_root(names.root)
    try:
        with Staging(names.folder, names.stem) as staging:
            done, draw = drawing
            # First, so that the sidecar can tell if it failed.
            is_drawn(lambda: draw(lambda output: staging.place(names.path(output))), done)
            add_map(staging)
            for output, text in tables.items():
                write_text(staging.place(names.path(output)), text)
            last = names.path(derivative.record)
            facts = map_facts(
                derivative.record, names, request.scan.path, request.identity(), derivative.record
            )
            del facts["SpatialReference"]  # it is no map
            write_json(staging.place(last), facts | record().as_json())
            write_root(names, request.scan.path, derivative)
            staging.publish(last=last, outdated=names.files(derivative.outputs))
    except OSError as error:
        raise unwritable(names.folder, error) from error
