"""From an encoder folder to a folder that another library reads: weights, arguments, adaptation plan."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from medunsup.cohort.encoders.folder import LOCK, PLAN, EncoderFolder, read_encoder
from medunsup.core.errors import ResultThereError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.provenance import generated_by, package_versions
from medunsup.core.shown import Shown
from medunsup.core.version import __version__
from medunsup.io.files.artifact_folder import arrays_as_bytes, write_artifact
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files

if TYPE_CHECKING:
    from medunsup.workflows.export.bundle import ExportedBundle

Target = Literal["monai", "bundle"]

ABOUT = "export.json"
PTH, SAFETENSORS, README = "network.pth", "network.safetensors", "README.md"
FILES = (PTH, SAFETENSORS, PLAN, README)
CLASSES = 2

USE = """# {network} with a pretrained encoder

Weights of the encoder {encoder}, pretrained with {method} by medunsup {version}, in MONAI's {network}.
{loaded} of {all} weights are pretrained; the others, those of the decoder, are random: fine-tune before
use. `export.json` lists both.

    import json, torch
    from monai.networks import nets

    about = json.load(open("export.json"))
    network = getattr(nets, about["Network"])(**about["Arguments"])
    network.load_state_dict(torch.load("network.pth", weights_only=True), strict=True)

Its inputs: {inputs}. `adaptation_plan.json` says the same in plain values.
"""


@dataclass(frozen=True, repr=False)
class ExportedFolder(Shown):
    """An encoder as another library reads it.

    Attributes
    ----------
    path : Path
        The folder.
    network : str
        Class of the network that loads the weights, in `monai.networks.nets`.
    arguments : dict
        Arguments that build it.
    pretrained, fresh : tuple of str
        Names of the weights that are the encoder's, and of the others, which are random.

    Examples
    --------
    >>> import medunsup
    >>> parameters = {"encoder": "unet", "encoder_parameters": {"channels": 8}, "epochs": 1, "batch_size": 4}
    >>> made = medunsup.pretrain("autoencoder", "images.npz", "runs/small", parameters=parameters)
    >>> written = medunsup.export(made.path, "exported_small")
    >>> len(written.pretrained), written.arguments["features"][-1]
    (40, 8)
    """

    path: Path
    network: str
    arguments: Mapping[str, Any] = field(repr=False)
    pretrained: tuple[str, ...] = field(repr=False)
    fresh: tuple[str, ...] = field(repr=False)


def export(
    encoder: str | Path,
    out: str | Path,
    *,
    to: Target = "monai",
    classes: int = CLASSES,
    force: bool = False,
) -> "ExportedFolder | ExportedBundle":
    """Write an encoder as weights that a network of MONAI loads, or any network as a bundle that runs alone.

    To 'monai' the folder holds the weights (.pth and .safetensors) of a whole network around a pretrained
    encoder, the arguments that build it, and an adaptation plan. To 'bundle' it is a MONAI bundle: a
    fine-tuned network or an encoder as a program, which MONAI runs on prepared scans without medunsup. That
    what is written computes the same is checked on the way.

    Parameters
    ----------
    encoder : str or Path
        Folder that `pretrain` made; for a bundle also one that `finetune` made.
    out : str or Path
        Folder for what is exported.
    to : {'monai', 'bundle'}, default 'monai'
        Weights for a network of MONAI, or a MONAI bundle.
    classes : int, 1 or more, default 2
        Channels of the output of MONAI's network: one a class, background among them.
    force : bool, default False
        Replace an export that is in `out`.

    Returns
    -------
    ExportedFolder or ExportedBundle
        What was written.

    Raises
    ------
    UsageError
        If MONAI has no network around this encoder, naming the encoders for which it has.
    MissingError
        If there is no such folder.
    InputError
        If the encoder folder is not complete or damaged.
    StepError
        If a bundle computes something else than the network; then nothing is written.
    ResultThereError
        If `out` holds an export, and `force` is not True.
    OutputError
        If `out` holds files of others, or cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> parameters = {"encoder": "unet", "encoder_parameters": {"channels": 8}, "epochs": 1, "batch_size": 4}
    >>> made = medunsup.pretrain("autoencoder", "images.npz", "runs/unet", parameters=parameters)
    >>> medunsup.export(made.path, "exported").network
    'BasicUNet'
    """
    if to not in get_args(Target):
        raise UsageError(f"{option('to', to)}: weights go to {', '.join(get_args(Target))}.")
    if classes < 1:
        raise UsageError(f"{option('classes', classes)}: give 1 or more.")
    if to == "bundle":
        from medunsup.workflows.export.bundle import export_bundle

        return export_bundle(user_path(encoder), user_path(out), force=force)
    from medunsup.nn.monai_networks import monai_network, state_as_bytes

    source, folder = read_encoder(encoder), user_path(out)
    made = monai_network(source.network, source.plan, outputs=classes)
    arrays = {name: value.numpy() for name, value in made.network.state_dict().items()}
    files: dict[str, str | bytes] = {
        PTH: state_as_bytes(made.network),
        SAFETENSORS: arrays_as_bytes(arrays),
        PLAN: json.dumps(source.plan.model_dump(mode="json"), indent=2) + "\n",
        README: _readme(source, made.name, len(made.loaded.loaded), len(made.loaded.fresh)),
    }
    written = ExportedFolder(folder, made.name, made.arguments, made.loaded.loaded, made.loaded.fresh)
    with locked(folder / LOCK):
        recover(folder, "export")
        refuse_foreign_files(folder, FILES, ABOUT, force=force)
        if (folder / ABOUT).exists() and not force:
            raise ResultThereError(
                f"{folder}: holds an export. Pass {option('force', True)} to replace it, or choose another "
                f"folder with {option('out')}."
            )
        about = _about(source, written, to)
        write_artifact(folder, files, ABOUT, lambda hashes: about | {"SHA256": dict(hashes)}, kind="export")
    return written


def _about(source: EncoderFolder, written: ExportedFolder, to: Target) -> dict[str, Any]:
    manifest = source.manifest
    return {
        "GeneratedBy": [generated_by()],
        "Library": to,
        "Network": written.network,
        "Arguments": dict(written.arguments),
        "Encoder": manifest.network.name,
        "Method": manifest.method,
        "Preprocessing": manifest.preprocessing.model_dump(mode="json"),
        "Pretrained": list(written.pretrained),
        "Random": list(written.fresh),
        "Versions": package_versions(),
    }


def _readme(source: EncoderFolder, network: str, loaded: int, fresh: int) -> str:
    about, plan = source.manifest, source.plan
    spacing = f", {plan.spacing_mm[0]:g} mm voxels on the template grid" if plan.spacing_mm else ""
    return USE.format(
        network=network,
        encoder=about.network.name,
        method=about.method,
        version=__version__,
        loaded=loaded,
        all=loaded + fresh,
        inputs=f"{plan.channels} channel{'s' if plan.channels > 1 else ''}{spacing}; {plan.intensity}",
    )
