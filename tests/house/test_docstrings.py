"""What `help()` says of the public API is whole, agrees with the code, and its examples run.

The form is numpydoc's. Public is what `docs/api.md` lists, and every registered class with its config.
"""

import doctest
import inspect
import re
import shutil
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from helpers.docstrings import (
    EXAMPLES,
    PARAMETERS,
    WORDING,
    class_faults,
    config_faults,
    faults,
    field_faults,
    function_faults,
    named,
    own_methods,
    parts_of,
    signature_faults,
)
from helpers.healthy_scans import SPOT, write_person
from helpers.labelled_images import write_labelled
from helpers.labelled_scans import write_pairs
from helpers.pretraining import write_images
from numpydoc.docscrape import get_doc_object

import medunsup
from medunsup.cohort.finetuned.folder import FinetunedFolder
from medunsup.core.config import Config
from medunsup.core.geometry import Grid
from medunsup.core.record import Record
from medunsup.core.registry import MethodCard, method, methods
from medunsup.workflows.detect.outcome import DetectOutcome
from medunsup.workflows.embed.settings import EmbedSettings
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.predict.outcome import PredictOutcome
from medunsup.workflows.pretrain.settings import PretrainSettings
from medunsup.workflows.segment.outcome import ScanOutcome
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.train.model_folder import ModelFolder
from medunsup.workflows.train.settings import TrainSettings

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## `(medunsup[.\w]*)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
HOMES = {
    name: package
    for package, section in SECTIONS
    for name in re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    if name not in {"errors", "TISSUES"}
}
NAMES = sorted(HOMES)
CARDS = [card for card in methods() if card.distribution == "medunsup"]
COMPILED = {"umap", "tsne"}  # methods whose packages take many seconds to start
WHOLE_RUNS = {  # examples that take seconds
    *(
        "Component",
        "Fit",
        "Quality",
        "SegmentResult",
        "TissueResult",
        "TissueVolume",
        "segment",
        "write_page",
    ),
    *("AnomalyResult", "BaselineResult", "Evaluation", "Finding", "Flag", "detect", "evaluate", "train"),
    *("CohortResult", "detect_many", "segment_many", "write_group"),
    *("ModelFolder", "RegisterTemplated", "compact_model"),
    *(
        "AttentionResult",
        "attention",
        "embed",
        "Encoder",
        "EncoderFolder",
        "ExportedBundle",
        "ExportedFolder",
        "FinetunedFolder",
        "ProbeResult",
    ),
    *("export", "finetune", "predict", "predict_many", "pretrain", "probe"),
    *("Prediction", "ImagePredictions"),
    "status",
}


def run_examples(of: object, name: str) -> None:
    """Run the examples of a docstring as they stand; a class's with those of its methods."""
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in doctest.DocTestFinder().find(of, name, globs={}):
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


def of_name(name: str) -> object:
    return getattr(import_module(HOMES[name]), name)


@pytest.mark.parametrize("name", NAMES)
def test_public_name_is_documented(name: str):
    public = of_name(name)
    if inspect.isclass(public):
        assert not class_faults(public)
    elif callable(public):
        assert not function_faults(public) + faults(public, EXAMPLES)
        assert get_doc_object(public)["Raises"] or name in {"methods", "register"}


def test_everything_that_results_hold_is_documented():
    """A result is read part by part, so its parts are as public as it is."""
    results = [one for one in map(of_name, NAMES) if is_dataclass(one)]
    parts = parts_of([*results, ScanOutcome, DetectOutcome, PredictOutcome, MethodCard])
    assert {Record, Grid} < parts  # the walk goes below the results themselves
    assert not [fault for part in parts for fault in faults(part, WORDING) + field_faults(part)]


@pytest.fixture(scope="module")
def shelf(
    small_brain,
    people: Path,
    patient: Path,
    trained: ModelFolder,
    finetuned: FinetunedFolder,
    tmp_path_factory,
) -> Path:
    """The files that examples name beside it: a patient, healthy scans, a model of them, a table of cases."""
    from helpers import phantom

    folder = tmp_path_factory.mktemp("examples")
    write_person(folder / "scan.nii.gz", small_brain, 98)
    shutil.copy(patient, folder / "patient.nii.gz")
    (folder / "healthy").mkdir()
    for scan in sorted(people.iterdir())[:12]:
        shutil.copy(scan, folder / "healthy")
    shutil.copytree(trained.path, folder / "runs" / "atlas")
    shutil.copytree(finetuned.path, folder / "runs" / "seg")
    sizes = {"epochs": 1, "batch_size": 4}
    medunsup.pretrain(
        "autoencoder", write_images(folder / "images.npz"), folder / "runs" / "encoder", parameters=sizes
    )
    sizes["encoder_parameters"] = {"channels": 2, "levels": 2}
    medunsup.pretrain(
        "autoencoder", folder / "healthy", folder / "runs" / "scans", parameters=sizes, spacing_mm=8.0
    )
    write_labelled(folder / "labelled.npz", n_train=20)
    write_pairs(folder, small_brain)
    image, spot = small_brain.mask, np.zeros(small_brain.mask.shape, np.uint8)
    spot[SPOT] = 1
    phantom.save(image.like(spot, kind="label"), folder / "lesions.nii.gz", dtype=np.uint8)
    (folder / "cases.tsv").write_text("scan\tlesions\nscan.nii.gz\t\npatient.nii.gz\tlesions.nii.gz\n")
    return folder


@pytest.fixture
def scan(make_scan, quick_registration, monkeypatch) -> Path:
    """The scan that examples name, in the folder they run in; its registration costs nothing."""
    path = make_scan("scan.nii.gz")
    monkeypatch.chdir(path.parent)
    return path


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WHOLE_RUNS])
def test_examples_run(name: str, scan: Path):
    run_examples(of_name(name), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WHOLE_RUNS))
def test_examples_of_workflows_run(name: str, shelf: Path, quick_registration, monkeypatch):
    monkeypatch.chdir(shelf)
    run_examples(of_name(name), name)


def is_override(function: object, cls: type) -> bool:
    """Tell a method whose contract a base class documents; one line is enough for it."""
    return any(hasattr(base, function.__name__) for base in cls.__bases__)


TRUE = """Count.

Parameters
----------
n : int, default 3
    How many.

Returns
-------
int
    The count.

Raises
------
UsageError
    If there are none.
"""


@pytest.mark.parametrize(
    ("told", "instead", "noticed"),
    [
        ("n : int, default 3", "m : int, default 3", "Unknown parameters"),
        ("default 3", "default 4", "default of n"),
        ("n : int, default 3", "n", "no type"),
        ("    How many.", "    How many", "should finish"),
        ("Returns\n-------\nint\n    The count.\n\n", "", "Returns"),
        ("UsageError", "UsageEror", "no error is called UsageEror"),
        ("Count.", "Count. Raises UsageError.", "prose"),
    ],
)
def test_a_docstring_that_says_otherwise_than_the_code_is_noticed(told, instead, noticed):
    def count(n: int = 3) -> int:
        return n

    count.__doc__ = TRUE
    assert not function_faults(count)
    count.__doc__ = TRUE.replace(told, instead)
    assert noticed in " ".join(function_faults(count))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.area}-{card.name}")
class TestRegistered:
    def test_class_is_documented(self, card: MethodCard):
        cls = method(card.area, card.name)
        assert not faults(cls, WORDING | PARAMETERS | EXAMPLES) + signature_faults(cls)
        document = get_doc_object(cls)
        assert card.paper in " ".join(document["References"])
        assert card.limit in " ".join(document["Notes"])
        assert not [
            fault for one in own_methods(cls) if not is_override(one, cls) for fault in function_faults(one)
        ]
        own = [name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})]
        fitted = {name for name in own if name.endswith("_") and not name.startswith("_")}
        assert fitted <= set(named(cls, "Attributes"))

    def test_every_parameter_of_the_config_is_documented(self, card: MethodCard):
        assert not config_faults(method(card.area, card.name).Config)


@pytest.mark.parametrize(
    "card",
    [pytest.param(card, marks=[pytest.mark.slow] * (card.name in COMPILED)) for card in CARDS],
    ids=lambda card: f"{card.area}-{card.name}",
)
def test_examples_of_the_class_run(card: MethodCard):
    run_examples(method(card.area, card.name), card.name)


@pytest.mark.parametrize(
    "config", [SegmentSettings, TrainSettings, PretrainSettings, FinetuneSettings, EmbedSettings]
)
def test_every_choice_of_a_workflow_is_documented(config: type[Config]):
    assert not config_faults(config)


@pytest.mark.parametrize(
    ("of", "choices"),
    [
        (medunsup.segment_many, set(SegmentSettings.model_fields)),
        (
            medunsup.detect_many,
            {"alpha", "fp_per_scan", "baselines", "contrast", "brain", "volume", "series", "cache"},
        ),
        (medunsup.finetune, set(FinetuneSettings.model_fields) - {"parameters"}),
        (medunsup.pretrain, set(PretrainSettings.model_fields) - {"method", "parameters"}),
        (medunsup.embed, set(EmbedSettings.model_fields) - {"features", "parameters"}),
        (medunsup.train, set(TrainSettings.model_fields) - {"model", "parameters"}),
    ],
)
def test_choices_that_are_passed_on_are_named(of, choices):
    (further,) = (one for one in get_doc_object(of)["Parameters"] if one.name == "**choices")
    assert choices <= set(re.findall(r"\w+", " ".join(further.desc)))
