"""From the words of a command line to checked choices."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medunsup.workflows.finetune.settings import FinetuneSettings
    from medunsup.workflows.pretrain.settings import PretrainSettings
    from medunsup.workflows.segment.settings import SegmentSettings
    from medunsup.workflows.train.settings import TrainSettings


def read_settings(
    config: str | None, given: Mapping[str, Any], parameters: Sequence[str]
) -> "SegmentSettings":
    """Join a preset or YAML file, the options (which win), and --set key=value.

    Raises UsageError that names the key and the nearest known one.
    """
    from medunsup.workflows.segment.settings import SegmentSettings

    values = _joined("segment", config, given, parameters)
    if str(values.get("tissues", "")).isdigit():
        values["tissues"] = int(values["tissues"])
    return SegmentSettings.parse(values, where=config or "segment")


def read_training(config: str | None, given: Mapping[str, Any], parameters: Sequence[str]) -> "TrainSettings":
    """Do the same for `train`, whose presets are called after `detect`."""
    from medunsup.workflows.train.settings import TrainSettings

    return TrainSettings.parse(_joined("detect", config, given, parameters), where=config or "train")


def read_pretraining(
    config: str | None, given: Mapping[str, Any], parameters: Sequence[str]
) -> "PretrainSettings":
    """Do the same for `pretrain`."""
    from medunsup.workflows.pretrain.settings import PretrainSettings

    return PretrainSettings.parse(_joined("pretrain", config, given, parameters), where=config or "pretrain")


def read_finetuning(
    config: str | None, given: Mapping[str, Any], parameters: Sequence[str]
) -> "FinetuneSettings":
    """Do the same for `finetune`."""
    from medunsup.workflows.finetune.settings import FinetuneSettings

    return FinetuneSettings.parse(_joined("finetune", config, given, parameters), where=config or "finetune")


def read_clustering(
    config: str | None, given: Mapping[str, Any], parameters: Sequence[str]
) -> dict[str, Any]:
    """Do the same for `cluster`; return what was chosen, without what was not."""
    from medunsup.workflows.cluster.settings import ClusterSettings

    values = _joined("cluster", config, given, parameters)
    if not values["parameters"]:
        del values["parameters"]
    ClusterSettings.parse(values, where=config or "cluster")
    return values


def _joined(
    area: str, config: str | None, given: Mapping[str, Any], parameters: Sequence[str]
) -> dict[str, Any]:
    from medunsup.core.config import preset

    values = preset(area, config) if config else {}
    values |= {key: value for key, value in given.items() if value is not None}
    values["parameters"] = {**values.get("parameters", {}), **read_parameters(parameters)}
    return values


def listed(text: str | None) -> list[str] | None:
    """Part what was given by commas; None if nothing was given."""
    return None if text is None else [one.strip() for one in text.split(",") if one.strip()]


def numbers(text: str | None, flag: str, example: str, *, whole: bool = False) -> list[float] | None:
    """Part numbers, perhaps `whole` ones, by commas; None if nothing was given.

    Raises UsageError that names the option, what is no number, and how the option is written.
    """
    from medunsup.core.errors import UsageError

    words = listed(text)
    if words is None:
        return None
    wrong, kind = (
        [word for word in words if not _is_number(word, whole)],
        "whole number" if whole else "number",
    )
    if wrong or not words:
        why = f"{wrong[0]!r} is no {kind}" if wrong else "there is no number in it"
        raise UsageError(
            f"{flag} {text or repr('')}: {why}. Give {kind}s parted by commas: {flag} {example}."
        )
    return [float(word) for word in words]


def _is_number(word: str, whole: bool) -> bool:
    try:
        return float(word).is_integer() if whole else math.isfinite(float(word))
    except ValueError:
        return False


def read_parameters(words: Sequence[str]) -> dict[str, Any]:
    """Read the words of --set, key=value each, values as numbers, true or false where they are."""
    return {key: typed(value) for key, value in pairs(words, "--set").items()}


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """Split key=value words. Raises UsageError if one has no key or no value."""
    from medunsup.core.errors import UsageError

    split = [word.partition("=") for word in words]
    for word, (key, _, value) in zip(words, split, strict=True):
        if not key or not value:
            raise UsageError(f"{option} {word}: write {_as_pair(word, option)}.")
    return {key: value for key, _, value in split}


def _as_pair(word: str, option: str) -> str:
    """Write a word without key or value as it would be right: "FLAIR=second.nii.gz"."""
    from medunsup.io.bids.names import contrast_of_name

    if option != "--with":
        return "KEY=VALUE"
    key, _, file = word.rpartition("=")
    return f"{key or contrast_of_name(file) or 'FLAIR'}={file or 'second.nii.gz'}"


def check_outputs(scans: Sequence[Path], out: Path | None) -> None:
    """Raise UsageError for a DICOM folder without -o, or one inside it: results are not among its files.

    Raises InputError for a folder without any file, whatever -o says.
    """
    from medunsup.core.errors import InputError, UsageError

    for folder in (scan for scan in scans if scan.is_dir()):
        if out is None:
            if not any(path.is_file() for path in folder.rglob("*")):
                raise InputError(
                    f"{folder}: no scan found: it holds no file. Give a scan, or a folder of scans."
                )
            raise UsageError(f"{folder} is a folder: say where to put the results of its scan with -o.")
        if out.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{out} lies inside {folder}, among the scan's files. Choose another with -o.")


def typed(value: str) -> Any:
    """Read a number, true or false as such, anything else as text."""
    import yaml

    from medunsup.core.errors import UsageError

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set: {value!r} is neither a number, true, false, a list nor text.") from error
