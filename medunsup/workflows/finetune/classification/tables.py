"""Tables of a fine-tuned classifier: what it says of each test scan, and which scans there were."""

from collections.abc import Sequence

from medunsup.cohort.encoders.folder import Seen
from medunsup.io.files.tsv import tsv
from medunsup.workflows.finetune.classification.figures import Told, Truth


def probabilities_tsv(truth: Truth, classes: Sequence[str], said: Told) -> str:
    """List what each network says of each test scan: the probability of each class."""
    rows: list[Sequence[str]] = [("scan", "subject", "label", "network", *(f"p_{name}" for name in classes))]
    for arm, table in said.items():
        each = zip(truth.scans, truth.subjects, truth.classes, table, strict=True)
        rows += [
            (scan, subject, classes[code], arm, *(f"{value:.6g}" for value in row))
            for scan, subject, code, row in each
        ]
    return tsv(rows)


def labelled_tsv(lines: Sequence[Seen], words: Sequence[str]) -> str:
    """List labelled scans or images by split, with the hashes of their files."""
    rows: list[Sequence[str]] = [("subject", "split", "scan", "sha256", "label")]
    rows += [
        (one.subject, one.split, one.scan, one.sha256, word or "n/a")
        for one, word in zip(lines, words, strict=True)
    ]
    return tsv(rows)
