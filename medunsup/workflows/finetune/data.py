"""Scans with label maps: found, split by subject, prepared, laid on the template grid with their labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import Case, SplitName, open_source, refuse_unfetched
from medunsup.cohort.dataset.splits import split_off_test
from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.encoders.overlap import NO_DATA_SET, Known, fingerprints, overlap, refuse_overlap
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.finetuned.folder import standardised
from medunsup.cohort.label_maps import label_table, on_template_grid, read_labels
from medunsup.cohort.labelled.unlabelled import unlabelled_cases
from medunsup.cohort.prepare import Prepared, load_and_prepare
from medunsup.cohort.prepare_many import prepared, request_of
from medunsup.cohort.settings import ReadSettings
from medunsup.cohort.training.consistency import Common
from medunsup.cohort.training.prepare import prepare_alike
from medunsup.cohort.training.select import hash_scans, left_out_words
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.labels import Label
from medunsup.core.progress import Stage, Told
from medunsup.core.volume import Volume
from medunsup.io.bids.names import data_set_id
from medunsup.io.files.hashes import hash_input
from medunsup.io.files.memmap import stacked
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.request import FinetuneRequest

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

REMEDY = (
    "Without labels too, that flatters it. Test on others, or pretrain without these: a table whose column "
    "split names them test."
)
REPEATED = "Keep a subject in one split, and leave repeats out."

UNLABELLED = -1

Labels = NDArray[np.int32]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """How scans are read, and the spacing of the grid that they come onto."""

    reading: ReadSettings
    spacing_mm: float


@dataclass(frozen=True, eq=False)
class LabelledScan:
    """A scan in native space, the same prepared, what the network sees of it, and its native labels.

    Labels are -1 throughout where there is no label map.
    """

    case: Case
    image: Volume
    prepared: Prepared
    values: Values
    labels: Labels


@dataclass(frozen=True, eq=False)
class Pairs:
    """Scans with labels by split, and how they are read; `hashes` of scans and label maps, in their order."""

    splits: Mapping[SplitName, list[Case]]
    hashes: list[str]
    grid: Grid
    pretrained: Pretrained
    left_out: int
    remarks: tuple[str, ...] = ()

    @property
    def cases(self) -> list[Case]:
        """All that are used, those to learn from first."""
        return [*self.splits["train"], *self.splits["test"]]

    def read(self, case: Case, cache: Path) -> LabelledScan:
        """Read one pair. Raises GeometryError or InputError if its label map cannot be used."""
        asked = request_of(case, self.grid)
        image, made = load_and_prepare(asked, self.grid.spacing_mm, cache=cache)
        labels = np.full(image.shape, UNLABELLED, np.int32)
        if case.labels is not None:
            labels = read_labels(case.labels, image, self.grid.reading.coordinates)
        values = standardised(made.values, made.mask) if self.pretrained.is_standardised else made.values
        return LabelledScan(case, image, made, values, labels)


def find_pairs(request: FinetuneRequest, pretrained: Pretrained) -> Pairs:
    """Find scans and label maps in a table, and split them by subject.

    Raises UsageError if it is no table or a scan has no labels, InputError if there are too few subjects, if
    a scan stands there twice, or if the encoder has seen a test subject.
    """
    settings = request.settings
    if request.data.suffix == ".npz":
        raise UsageError(
            f"{request.data}: images in a .npz file are classified, not segmented. "
            f"Give {option('task', 'classify')}."
        )
    if not request.data.is_file():
        raise UsageError(
            f"{request.data}: {option('data')} takes a table (TSV) with the columns scan and labels, and "
            "subject and split if they are known."
        )
    cases, without = _listed(request)
    early = Known(_lines(cases, [hash_input(case.scan) for case in cases]), None)
    known = {pair.tested.subject for pair in overlap(early, pretrained.known)}
    splits = split_off_test(cases, test=settings.test, seed=settings.seed, known=known)
    left_out = Counter[str]()
    if settings.few_labels is not None:
        splits["train"] += unlabelled_cases(
            request.unlabelled, settings.contrast, without, splits, left_out, lambda stage: None
        )
    used = [*splits["train"], *splits["test"]]
    hashes = hash_scans(used)
    tested = Known(_lines(splits["test"], hashes[len(splits["train"]) :]), None)
    refuse_overlap(tested, pretrained.known, by="pretraining", remedy=REMEDY)
    hashes += ["n/a" if case.labels is None else hash_input(case.labels) for case in used]
    grid = Grid(settings.reading, pretrained.spacing_mm(settings.spacing_mm))
    remarks = (left_out_words(left_out),) if +left_out else ()
    n_labelled = sum(case.labels is not None for case in used)
    return Pairs(splits, hashes, grid, pretrained, len(cases) - n_labelled, remarks)


def _listed(request: FinetuneRequest) -> tuple[list[Case], list[Case]]:
    """List the scans of the table with a label map, and those without one, if they may be there."""
    data, found = request.data, open_source(request.data).cases
    cases = [case for case in found if case.labels is not None]
    without = [case for case in found if case.labels is None]
    may_be = request.settings.few_labels is not None
    lost = [case for case in without if case.split == "test"] if may_be else without
    if lost:
        which = " of the test split" if may_be else ""
        raise UsageError(
            f"{data}: {len(lost)} of {len(found)} scans have no label map, first {lost[0].scan.name}{which}. "
            "Fill the column labels, or leave these rows out."
        )
    if not cases:
        raise InputError(f"{data}: no scan has a label map. Fill the column labels for some.")
    refuse_unfetched(found)
    return cases, without


def prepare_pairs(pairs: Pairs, request: FinetuneRequest, told: Told) -> Common:
    """Prepare all scans. Raises InputError for one that cannot be used, or that the encoder has seen."""
    common = prepare_alike(
        pairs.cases, pairs.grid, request.prepared, executor=Processes(request.jobs), told=told
    )
    prints = np.concatenate(
        [fingerprints(prepared(case, pairs.grid, request.prepared).values[None]) for case in pairs.cases]
    )
    lines, n = (
        _lines(pairs.cases, pairs.hashes[: len(pairs.cases)], common.contents),
        len(pairs.splits["train"]),
    )
    tested = Known(lines[n:], prints[n:])
    refuse_overlap(tested, pairs.pretrained.known, by="pretraining", remedy=REMEDY)
    refuse_overlap(tested, Known(lines[:n], prints[:n]), by="fine-tuning", remedy=REPEATED)
    return common


def find_labels(pairs: Pairs, request: FinetuneRequest, told: Told) -> tuple[Label, ...]:
    """Read every label map once, and name the labels that there are to learn."""
    told(Stage("reading label maps"))
    found: set[int] = set()
    for case in (case for case in pairs.cases if case.labels is not None):
        values = np.unique(pairs.read(case, request.prepared).labels).tolist()
        found |= set(values) if case.split != "test" else set()
    return label_table(found, request.label_table)


def stack_pairs(pairs: Pairs, labels: Sequence[Label], request: FinetuneRequest, folder: Path) -> "Scans":
    """Lay the training scans one behind the other in files of `folder`, classes as their last channel."""
    from medunsup.training.scan_stack import Scans

    cases = pairs.splits["train"]
    each = (pairs.read(case, request.prepared) for case in cases)
    first = next(each)
    channels, *sides = first.values.shape
    files = {"values": folder / "train.npy", "masks": folder / "train_masks.npy"}
    n, shown = len(cases), 0
    with (
        stacked(files["values"], (n, channels + 1, *sides), np.float32) as add_values,
        stacked(files["masks"], (n, *sides), np.bool_) as add_mask,
    ):
        for pair in (first, *each):
            native = as_classes(pair.labels, labels)
            place = pair.prepared.template_to_scan
            classes = on_template_grid(native, pair.image, place, pairs.grid.spacing_mm)
            shown += int(np.count_nonzero(classes))
            if pair.case.labels is None:
                classes = np.full_like(classes, UNLABELLED)
            add_values(np.concatenate([pair.values, classes[None].astype(np.float32)]))
            add_mask(pair.prepared.mask)
    if not shown:
        raise InputError("No label of the training scans lies on the template grid. Check the label maps.")
    values, masks = (np.load(file, mmap_mode="r") for file in files.values())
    names, subjects = zip(*((case.scan.name, case.subject) for case in cases), strict=True)
    known = np.array([0 if case.labels is not None else UNLABELLED for case in cases], np.int64)
    return Scans(values, masks, names, subjects, labels=known if request.settings.few_labels else None)


def _lines(cases: Sequence[Case], hashes: Sequence[str], contents: Sequence[str] = ()) -> list[Seen]:
    """Describe scans as an encoder folder does; `contents` are the hashes of prepared values, if known."""
    return [
        Seen(
            case.subject,
            case.split,
            case.scan.name,
            hashes[n],
            contents[n] if contents else "",
            _set_of(case),
        )
        for n, case in enumerate(cases)
    ]


def _set_of(case: Case) -> str:
    return data_set_id(case.scan) or NO_DATA_SET


def as_classes(labels: Labels, table: Sequence[Label]) -> Labels:
    """Turn labels into numbers of classes, from 1 in the order of the table; other labels are background."""
    classes = np.zeros(labels.shape, np.int32)
    for number, label in enumerate(table, start=1):
        classes[labels == label.index] = number
    return classes
