"""Part images that share their places into volumes, by what their headers say and never by file order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isclose
from pathlib import Path
from typing import Any

from medunsup.core.errors import GeometryError, InputError, UsageError
from medunsup.core.hints import option
from medunsup.io.dicom.places import places_of
from medunsup.io.dicom.slices import Slice
from medunsup.io.notes import Notes

Placed = tuple[int, Slice]  # the number of its place, and a slice

SAME_VALUE = 1e-3  # relative: times and angles that differ by less are one value, written in two ways
NO_STACK = 2  # places: fewer than three are no scan that was repeated
MOST_LISTED = 4  # volumes whose values a message lists

ECHO = ("EffectiveEchoTime", "EchoTime")
INVERSION = ("InversionTimes", "InversionTime")
KIND = ("FrameType", "ImageType")
TIME_POINT = ("TemporalPositionIndex", "TemporalPositionIdentifier")
ACQUISITION = ("FrameAcquisitionNumber", "AcquisitionNumber")
TRIGGER = ("NominalCardiacTriggerDelayTime", "TriggerTime")
TAKEN_AT = ("FrameAcquisitionDateTime", "AcquisitionDateTime")
MEASURED = (ECHO, INVERSION, ("FlipAngle",), ("RepetitionTime",), ("DiffusionBValue",))
TRUSTED = (ECHO, INVERSION, KIND)
# What is alike in a volume and tells it from others, most telling first; of several names the first there is.
DIMENSIONS = (
    ECHO, ("EchoNumbers",), INVERSION, KIND, ("FlipAngle",), ("DiffusionBValue",),
    ("DiffusionGradientOrientation",), ("AcquisitionContrast",), ("ContrastBolusAgent",),
    ("ReceiveCoilName",), TIME_POINT, ("TemporalPositionTimeOffset",), ACQUISITION, ("SeriesNumber",),
    ("SeriesDescription",), ("ProtocolName",), ("SequenceName", "PulseSequenceName"), ("ScanningSequence",),
    ("SequenceVariant",), ("ScanOptions",), ("RepetitionTime",), TRIGGER, ("DimensionIndexValues",),
    TAKEN_AT, ("FrameReferenceDateTime",), ("AcquisitionDate",), ("AcquisitionTime",), ("SOPClassUID",),
    ("SOPInstanceUID",),
)  # fmt: skip
# What counts on from image to image, so that its order at each place tells the volume.
COUNTERS = (
    TIME_POINT, ACQUISITION, ("InstanceNumber",), TRIGGER, TAKEN_AT, ("AcquisitionTime",), ("ContentTime",)
)  # fmt: skip


def one_volume(path: Path, slices: Sequence[Slice], volume: int | None, notes: Notes) -> list[Slice]:
    """Part repeats of the same stack (4D) into volumes and return one.

    Raises GeometryError for duplicates and for slices that all lie at one place, InputError for 4D without
    `volume` and for images that nothing tells apart, UsageError for a volume that is not there.
    """
    images = list(zip(places_of(slices), slices, strict=True))
    n_places = _n_places(images)
    if n_places <= NO_STACK and n_places < len(images):
        where = "one place" if n_places == 1 else f"{n_places} places"
        raise GeometryError(
            f"{path}: all {len(images)} slices say they lie at {where} (ImagePositionPatient), so their "
            "order is unknown. Export the series again with the place of each slice."
        )
    by: list[str] = []
    volumes = _in_order(_parted(path, images, by))
    _check_unmixed(path, images, volumes)
    if volume is None and len(volumes) > 1:
        raise InputError(
            f"{path}: is 4D, with {len(volumes)} volumes, not one scan. {_told_apart(volumes, by)} "
            f"Pass {option('volume', 0)} to {len(volumes) - 1} to pick one."
        )
    if volume is not None and not 0 <= volume < len(volumes):
        raise UsageError(f"{path}: has no volume {volume}. Pass {option('volume', 0)} to {len(volumes) - 1}.")
    chosen = volumes[volume or 0]
    if len(volumes) > 1:
        notes.update(volume=volume, volumes_found=len(volumes), volumes_differ_in=by)
        _check_complete(path, volumes, volume or 0)
    return [item for _, item in chosen]


def _parted(path: Path, images: list[Placed], by: list[str]) -> list[list[Placed]]:
    """Split images until no volume has two at one place; the names of what told them apart go into `by`."""
    if len(images) == _n_places(images):
        return [images]
    for names in DIMENSIONS:
        for values in _columns(images, names):
            if _is_dimension(images, values):
                _remember(by, names, images)
                groups = _split(images, values)
                return [volume for group in groups for volume in _parted(path, group, by)]
    for names in COUNTERS:
        for values in _columns(images, names):
            if (turns := _turns(images, values)) is not None:
                _remember(by, names, images)
                return _split(images, turns)
    raise _indistinct(path, images)


def _columns(images: Sequence[Placed], names: Sequence[str]) -> Iterator[list[int]]:
    """Yield an attribute's value in each image as a rank, -1 where absent; each dimension index apart."""
    found = [_value(item, names) for _, item in images]
    if names == ("DimensionIndexValues",):
        for n in range(max((len(value) for value in found if value), default=0)):
            yield _ranks([value[n : n + 1] or None if value else None for value in found], 0)
    else:
        yield _ranks(found, SAME_VALUE if names in MEASURED else 0)


def _value(item: Slice, names: Sequence[str]) -> Any:
    """Return the first attribute of these names that is there: numbers as numbers, all else as text."""
    value = next((found for name in names if (found := item.attributes.get(name)) is not None), None)
    if value is None or isinstance(value, str):
        return value
    values = tuple(value) if hasattr(value, "__iter__") else (value,)
    try:
        return tuple(float(each) for each in values)
    except (TypeError, ValueError):
        return "\\".join(str(each) for each in values)


def _ranks(values: Sequence[Any], tolerance: float) -> list[int]:
    """Rank each value among the distinct ones; numbers that differ by a relative `tolerance` are one."""
    numbers = sorted({value for value in values if isinstance(value, tuple)})
    texts = sorted({value for value in values if isinstance(value, str)})
    ranks: dict[Any, int] = {None: -1}
    for n, value in enumerate(numbers):
        is_new = n == 0 or not _alike(numbers[n - 1], value, tolerance)
        ranks[value] = ranks[numbers[n - 1]] + is_new if n else 0
    for text in texts:
        ranks[text] = len(ranks)
    return [ranks[value] for value in values]


def _alike(one: tuple[float, ...], other: tuple[float, ...], tolerance: float) -> bool:
    return len(one) == len(other) and all(
        isclose(a, b, rel_tol=tolerance) for a, b in zip(one, other, strict=True)
    )


def _is_dimension(images: Sequence[Placed], ranks: Sequence[int]) -> bool:
    """Whether some place has all the values there are: then a value means the same at every place."""
    at_place: dict[int, set[int]] = {}
    for (place, _), rank in zip(images, ranks, strict=True):
        at_place.setdefault(place, set()).add(rank)
    return 1 < len(set(ranks)) == max(len(here) for here in at_place.values())


def _turns(images: Sequence[Placed], ranks: Sequence[int]) -> list[int] | None:
    """Tell by a counter whose turn each image is at its place, or None if the counter does not tell.

    It tells if it runs through one volume after the other, or through one place after the other.
    """
    at_place: dict[int, list[int]] = {}
    for (place, _), rank in zip(images, ranks, strict=True):
        at_place.setdefault(place, []).append(rank)
    places = sorted(sorted(here) for here in at_place.values())
    lengths = {len(here) for here in places}
    if -1 in ranks or len(lengths) > 1 or any(len(set(here)) < len(here) for here in places):
        return None
    volumes = [sorted(turn) for turn in zip(*places, strict=True)]
    if not any(all(a[-1] < b[0] for a, b in pairwise(groups)) for groups in (volumes, places)):
        return None
    return [sorted(at_place[place]).index(rank) for (place, _), rank in zip(images, ranks, strict=True)]


def _split(images: Sequence[Placed], ranks: Sequence[int]) -> list[list[Placed]]:
    groups: dict[int, list[Placed]] = {}
    for image, rank in zip(images, ranks, strict=True):
        groups.setdefault(rank, []).append(image)
    return [groups[rank] for rank in sorted(groups)]


def _in_order(volumes: list[list[Placed]]) -> list[list[Placed]]:
    """Count volumes by echo, time point and acquisition, then as they were numbered when taken."""
    images = [image for volume in volumes for image in volume]
    keys: list[list[int]] = [[] for _ in volumes]
    for names in (ECHO, ("EchoNumbers",), TIME_POINT, ACQUISITION, ("InstanceNumber",)):
        ranks = iter(next(_columns(images, names)))
        for volume, key in zip(volumes, keys, strict=True):
            key.append(min(next(ranks) for _ in volume))
    order = sorted(range(len(volumes)), key=lambda n: keys[n])
    return [volumes[n] for n in order]


def _check_complete(path: Path, volumes: list[list[Placed]], number: int) -> None:
    """Refuse a volume that lacks places which others have: a slice lost at an end leaves no gap."""
    longest = max(len(each) for each in volumes)
    if len(volumes[number]) < longest:
        raise GeometryError(
            f"{path}: volume {number} holds {len(volumes[number])} slices, others hold {longest}. Export the "
            "series again, pick another volume, or put its files in a folder of their own if it is whole."
        )


def _check_unmixed(path: Path, images: Sequence[Placed], volumes: list[list[Placed]]) -> None:
    """Refuse volumes between which echoes or kinds of image change sides from place to place."""
    number = {id(item): n for n, volume in enumerate(volumes) for _, item in volume}
    for names in TRUSTED if len(volumes) > 1 else ():
        ranks = next(_columns(images, names))
        values: list[set[int]] = [set() for _ in volumes]
        at_place: dict[int, set[int]] = {}
        for (place, item), rank in zip(images, ranks, strict=True):
            values[number[id(item)]].add(rank)
            at_place.setdefault(place, set()).add(rank)
        tells = any(len(here) > 1 for here in at_place.values())
        of_several = Counter(rank for here in values for rank in here)
        if tells and any(len(here) > 1 and any(of_several[rank] > 1 for rank in here) for here in values):
            raise _indistinct(path, images)


def _told_apart(volumes: list[list[Placed]], by: list[str]) -> str:
    """Say what volumes differ in, with the first attribute's values if they are few."""
    values = [_text(volume[0][1].attributes.get(by[0])) for volume in volumes]
    is_told = any(by[0] in names for names in (*MEASURED, KIND, ("EchoNumbers",)))  # no dates, no free text
    few = is_told and len(volumes) <= MOST_LISTED and len(set(values)) == len(values)
    listed = f" ({', '.join(f'{n}: {value}' for n, value in enumerate(values))})" if few else ""
    sizes = {len(volume) for volume in volumes}
    uneven = f", and have {min(sizes)} to {max(sizes)} slices" if len(sizes) > 1 else ""
    return f"They differ in {by[0]}{listed}{''.join(f', {name}' for name in by[1:])}{uneven}."


def _text(value: Any) -> str:
    return value if isinstance(value, str) or not hasattr(value, "__iter__") else "\\".join(map(str, value))


def _remember(by: list[str], names: Sequence[str], images: Sequence[Placed]) -> None:
    name = next(name for name in names if any(item.attributes.get(name) is not None for _, item in images))
    if name not in by:
        by.append(name)


def _indistinct(path: Path, images: Sequence[Placed]) -> InputError:
    """Say that images share their places and nothing tells them apart; a lone repeat is a duplicate."""
    counts = Counter(place for place, _ in images)
    repeated = [place for place, count in counts.items() if count > 1]
    if 2 * len(repeated) > len(counts):
        return InputError(
            f"{path}: holds several images at {len(repeated)} of its {len(counts)} places, and nothing in "
            "their headers (echo, time, kind of image, dimension index, number) tells which belong together. "
            "Export each image as a series of its own."
        )
    alike = [item.name for place, item in images if place == repeated[0]]
    return GeometryError(
        f"{path}: duplicate slice: {' and '.join(alike[:2])} lie at the same place. "
        "Remove one, or export the series again."
    )


def _n_places(images: Sequence[Placed]) -> int:
    return len({place for place, _ in images})
