"""Files of a probe: the record, one table, the page; all of them or none."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from medunsup.cohort.encoders.probed import ProbeResult
from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.io.files.atomic import write_json, write_text
from medunsup.io.files.transaction import Staging
from medunsup.io.files.tsv import tsv
from medunsup.report.probe.page import write_page

RESULT, TABLE, PAGE = "probe.json", "figures.tsv", "report.html"
COLUMNS = ("features", "probe", "fraction", "labels", "draw", "auc", "balanced_accuracy", "c_or_k")


def save(result: ProbeResult, folder: Path) -> None:
    """Write all files; probe.json comes last. Raises OutputError on a full or unwritable disk."""
    with Staging(folder, "probe") as staging:
        write_text(staging.place(folder / TABLE), tsv([COLUMNS, *_rows(result)]))
        write_page(result, staging.place(folder / PAGE))
        record = {**result.as_record(), "generated_by": [generated_by()], "versions": package_versions()}
        write_json(staging.place(folder / RESULT), plain(record))
        staging.publish(last=folder / RESULT)


def _rows(result: ProbeResult) -> Iterator[Sequence[str]]:
    for one in result.figures:
        each = zip(one.auc, one.balanced_accuracy, one.setting, strict=True)
        for draw, (area, accuracy, setting) in enumerate(each):
            yield (
                one.features,
                one.probe,
                f"{one.fraction:g}",
                str(one.n_labels),
                str(draw),
                f"{area:.6g}",
                f"{accuracy:.6g}",
                f"{setting:g}",
            )
