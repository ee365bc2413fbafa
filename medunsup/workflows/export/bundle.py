"""A MONAI bundle of a fine-tuned network or an encoder: program, configs, README, checked as written."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.encoders.folder import LOCK
from medunsup.cohort.finetuned.folder import MANIFEST as FINETUNED
from medunsup.core.errors import MissingError, ResultThereError
from medunsup.core.hints import option
from medunsup.core.shown import Shown
from medunsup.io.files.atomic import write_json, write_text
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import refuse_foreign_files, unwritable
from medunsup.workflows.export.bundle_config import feature_config, label_config
from medunsup.workflows.export.bundle_source import Source, encoder_source, finetuned_source
from medunsup.workflows.export.bundle_words import metadata, readme

if TYPE_CHECKING:
    from torch import nn

PROGRAM = "models/model.ts"
INFERENCE, METADATA, README = "configs/inference.json", "configs/metadata.json", "docs/README.md"
FILES = (PROGRAM, INFERENCE, README)


@dataclass(frozen=True, repr=False)
class ExportedBundle(Shown):
    """A network as a MONAI bundle, which runs without medunsup.

    Attributes
    ----------
    path : Path
        The folder.
    task : {'segment', 'features'}
        What the bundle gives: probabilities and labels of each voxel, or a row of features.
    shape : tuple of int
        Channels and sides of the one input that it takes.
    difference : float
        Largest difference of its outputs from those of the network, on made-up inputs.

    Examples
    --------
    >>> import medunsup
    >>> made = medunsup.export("runs/seg", "bundle", to="bundle")
    >>> made.task, made.difference <= 1e-5
    ('segment', True)
    """

    path: Path
    task: str
    shape: tuple[int, ...] = field(repr=False)
    difference: float = field(repr=False)


def export_bundle(run: Path, out: Path, *, force: bool = False) -> ExportedBundle:
    """Write the bundle of a folder that `finetune` or `pretrain` made.

    It is loaded and compared with the network before it takes its place.

    Raises MissingError or InputError for a folder that cannot be used, StepError if the bundle computes
    something else, ResultThereError or OutputError for what is in `out`.
    """
    source = read_source(run)
    with locked(out / LOCK):
        refuse_foreign_files(out, FILES, METADATA, force=force)
        if (out / METADATA).exists() and not force:
            raise ResultThereError(
                f"{out}: holds a bundle. Pass {option('force', True)} to replace it, or choose another "
                f"folder with {option('out')}."
            )
        try:
            with tempfile.TemporaryDirectory(dir=out, prefix=".medunsup-bundle-") as hidden:
                found = _write(Path(hidden), source)
                _publish(Path(hidden), out)
        except OSError as error:
            raise unwritable(out, error) from error
    return ExportedBundle(out, source.task, source.shape, found)


def read_source(run: Path) -> Source:
    """Read what is exported: a fine-tuned network or an encoder."""
    if (run / FINETUNED).is_file():
        return finetuned_source(run)
    if run.exists():
        return encoder_source(run)
    raise MissingError(f"{run}: there is no such folder. Give one that finetune or pretrain made.")


def _write(folder: Path, source: Source) -> float:
    """Write all files, run what was written beside the network, and return their largest difference."""
    from medunsup.nn.bundle import BundleNetwork
    from medunsup.nn.program import as_program, check_same

    for name in (*FILES, METADATA):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / PROGRAM).write_bytes(as_program(source.network, source.shape))
    config: Mapping[str, Any] = label_config(source.labels) if source.task == "segment" else feature_config()
    write_json(folder / INFERENCE, dict(config))
    write_json(folder / METADATA, metadata(source))
    network: nn.Module = source.network
    found = check_same(network, BundleNetwork(folder), source.shape)
    write_json(folder / METADATA, metadata(source, difference=found))
    write_text(folder / README, readme(source))
    return found


def _publish(hidden: Path, out: Path) -> None:
    """Move all files to their places; where metadata.json is, the others are, and belong to it."""
    (out / METADATA).unlink(missing_ok=True)
    for name in (*FILES, METADATA):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(hidden / name, out / name)
