"""Segmented and classified scans lie in folders of their own: each has one table of all scans."""

from collections.abc import Sequence

from medunsup.cohort.finetuned.folder import FinetunedFolder
from medunsup.core.errors import OutputError
from medunsup.core.hints import option
from medunsup.io.bids.names import OutputNames
from medunsup.io.files.tsv import read_tsv
from medunsup.workflows.predict.classes.group import PREDICTION
from medunsup.workflows.predict.outputs import ALL_PREDICTIONS


def refuse_other_task(names: Sequence[OutputNames], network: FinetunedFolder) -> None:
    """Raise OutputError if a folder holds the table of a network for the other task."""
    for root in sorted({each.root for each in names if each.root is not None}):
        table, task = root / ALL_PREDICTIONS.name, network.manifest.task
        if not table.exists():
            continue
        there = "classify" if PREDICTION in read_tsv(table).names else "segment"
        if there != task:
            raise OutputError(
                f"{table}: lists results of a network that was fine-tuned to {there} scans; this one was to "
                f"{task}. Choose another folder with {option('out')}."
            )
