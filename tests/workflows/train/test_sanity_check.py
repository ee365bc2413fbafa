"""What a model's own check on synthetic lesions says of it, and that `detect` passes a bad one on."""

import csv
import shutil
from pathlib import Path

import pytest

from medunsup.core.errors import InputError
from medunsup.workflows.detect.scan import detect
from medunsup.workflows.train.model_folder import ModelFolder
from medunsup.workflows.train.sanity_check import SyntheticCheck, read_synthetic

HEAD = "method\twords\taverage_precision\tprevalence\tlesions\n"


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.mark.parametrize(
    ("own", "baseline", "words"),
    [
        (
            0.0014,
            0.208,
            "0.0014 (chance 0.0009), less than the baseline "
            '"intensity rank, bright first, median 3³" (0.2080): read the baselines',
        ),
        (0.0014, 0.001, "0.0014 (chance 0.0009), hardly better than chance"),
    ],
)
def test_model_outdone_by_a_baseline_or_near_chance_is_doubted(own, baseline, words):
    assert words in SyntheticCheck(own, 0.00093, "rank_high", baseline).doubt


def test_model_better_than_all_and_well_above_chance_is_not_doubted():
    assert SyntheticCheck(0.3, 0.0009, "rank_high", 0.2).doubt == ""


def test_detect_remarks_on_the_model_once_and_only_where_its_check_went_badly(trained, patient, tmp_path):
    folder = shutil.copytree(trained.path, tmp_path / "model")
    for own, n_remarks in (("0.0500", 1), ("0.9000", 0)):
        rows = [f"model\tatlas\t{own}\t0.00090\t4", "rank_high\tranks\t0.2000\t0.00090\t4"]
        (folder / "baselines.tsv").write_text(HEAD + "\n".join(rows) + "\n")
        told = [text for text in detect(patient, folder).remarks if "less than the baseline" in text]
        assert len(told) == n_remarks


def test_chance_is_no_baseline(tmp_path: Path):
    table = tmp_path / "baselines.tsv"
    rows = [
        "model\tvae\t0.0005\t0.00090\t4",
        "prevalence\tall\t0.0009\t0.00090\t4",
        "lof\tx\t0.0001\t0.00090\t4",
    ]
    table.write_text(HEAD + "\n".join(rows) + "\n")
    assert read_synthetic(table).best == "lof"


def test_a_model_that_is_itself_a_baseline_is_not_compared_with_itself(trained: ModelFolder):
    assert (trained.settings.model, trained.settings.score) == ("healthy_atlas", "deviation")
    with (trained.path / "baselines.tsv").open() as file:
        found = {row["method"]: row["average_precision"] for row in csv.DictReader(file, delimiter="\t")}
    assert found["healthy_z"] == found["model"]
    assert trained.synthetic.best not in ("healthy_z", "prevalence")
    assert trained.synthetic.best_average_precision == max(
        float(value) for name, value in found.items() if name not in ("model", "healthy_z", "prevalence")
    )


@pytest.mark.parametrize("text", [None, "", HEAD, HEAD + "model\tvae\tmuch\t0.1\t4\n"])
def test_table_that_is_missing_or_cut_is_an_error_that_names_it(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "baselines.tsv").write_text(text)
    with pytest.raises(InputError, match=r"baselines\.tsv: is missing or damaged"):
        read_synthetic(tmp_path / "baselines.tsv")
