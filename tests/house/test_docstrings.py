"""What `help()` says of the public API is whole, agrees with the code, and its examples run.

The form is numpydoc's. Public is what `docs/api.md` lists, and every registered class with its config.
"""

import builtins
import doctest
import inspect
import re
import shutil
from abc import ABC
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from helpers.healthy_scans import SPOT, write_person
from numpydoc.docscrape import NumpyDocString, get_doc_object
from numpydoc.validate import validate

import medunsup
from medunsup.core.config import Config
from medunsup.core.geometry import Grid
from medunsup.core.record import Record
from medunsup.core.registry import MethodCard, method, methods
from medunsup.workflows.detect.outcome import DetectOutcome
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
    *("ModelFolder", "PlaceTemplated", "compact_model"),
}
WORDING = {"GL03", "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06"}
PARAMETERS = {"PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08", "PR09", "PR10"}
RESULTS = {"RT01", "RT02", "RT03", "RT04", "RT05", "YD01"}
EXAMPLES = {"EX01"}
RAISES_IN_PROSE = re.compile(r"\b[Rr]aises [A-Z]\w+")


def faults(of: object, codes: set[str]) -> list[str]:
    """What numpydoc has to say against one docstring."""
    found = validate(get_doc_object(of))["errors"]
    return [f"{getattr(of, '__qualname__', of)}: {text}" for code, text in found if code in codes]


def named(of: object, section: str) -> list[str]:
    """Names that a section of a docstring documents, in its order."""
    return [
        name
        for one in NumpyDocString(inspect.getdoc(of) or "")[section]
        for name in (one.name or one.type).split(", ")
    ]


def run_examples(of: object, name: str) -> None:
    """Run the examples of a docstring as they stand; a class's with those of its methods."""
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in doctest.DocTestFinder().find(of, name, globs={}):
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


def own_methods(cls: type) -> Iterator[object]:
    """Yield the public methods that a class defines itself."""
    for name, one in vars(cls).items():
        function = getattr(one, "__func__", one)
        if (
            not name.startswith("_")
            and inspect.isfunction(function)
            and function.__module__ == cls.__module__
        ):
            yield getattr(cls, name)


def own_properties(cls: type) -> Iterator[object]:
    for name, one in vars(cls).items():
        if not name.startswith("_") and isinstance(one, property | cached_property):
            yield one


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


def function_faults(function: object) -> list[str]:
    found = faults(function, WORDING | PARAMETERS | RESULTS)
    raised = [name for name in named(function, "Raises") if name != "NotFittedError"]  # scikit-learn's
    found += [f"{function}: no error is called {name}" for name in raised if not is_error(name)]
    found += [f"{function}: what it raises stands in prose"] * in_prose(function)
    return found + signature_faults(function)


def signature_faults(of: object) -> list[str]:
    """Complain of a default that is another or not told, and of a word that is not told."""
    found = []
    for one in NumpyDocString(inspect.getdoc(of) or "")["Parameters"]:
        parameter = inspect.signature(of).parameters.get(one.name)  # type: ignore[arg-type]
        if parameter is None or parameter.default is inspect.Parameter.empty:
            is_right = "optional" not in one.type and "default" not in one.type
        elif parameter.default is None or "factory" in repr(parameter.default):
            is_right = one.type.endswith((", optional", "default None"))
        else:
            told = one.type.rpartition("default ")[2]
            is_right = told == repr(parameter.default)
        found += [f"{of}: the default of {one.name} is not {one.type!r}"] * (not is_right)
        words = literals(parameter.annotation) if parameter else []
        found += [f"{of}: {one.name} takes {word!r} as well" for word in words if repr(word) not in one.type]
    return found


def literals(hint: object) -> list[object]:
    """Collect the words that a type such as `int | Literal["auto"]` allows."""
    inner = get_args(hint)
    return list(inner) if get_origin(hint) is Literal else [word for one in inner for word in literals(one)]


def class_faults(cls: type) -> list[str]:
    if issubclass(cls, Exception):
        return faults(cls, WORDING)
    if issubclass(cls, Config):
        assert_config_is_documented(cls)
        return []
    found = [fault for one in own_methods(cls) for fault in function_faults(one) + example_faults(one, cls)]
    found += [f"{cls}: {one}" for one in own_properties(cls) if not (one.__doc__ or "").strip().endswith(".")]
    if is_dataclass(cls) and named(cls, "Attributes"):  # what users read, seldom make
        return found + field_faults(cls) + faults(cls, WORDING | EXAMPLES)
    makes = set() if getattr(cls, "_is_protocol", False) else PARAMETERS
    return found + faults(cls, WORDING | EXAMPLES | makes) + signature_faults(cls)


def example_faults(function: object, cls: type) -> list[str]:
    """Complain of a method that no example shows, its own or its class's; a base class is for authors."""
    is_base = ABC in cls.__mro__ or getattr(cls, "_is_protocol", False)
    is_shown = f".{function.__name__}(" in (cls.__doc__ or "")
    return [] if is_base or is_shown else faults(function, EXAMPLES)


def test_everything_that_results_hold_is_documented():
    """A result is read part by part, so its parts are as public as it is."""
    results = [one for one in map(of_name, NAMES) if is_dataclass(one)]
    parts = parts_of([*results, ScanOutcome, DetectOutcome, MethodCard])
    assert {Record, Grid} < parts  # the walk goes below the results themselves
    assert not [fault for part in parts for fault in faults(part, WORDING) + field_faults(part)]


def parts_of(classes: list[type]) -> set[type]:
    """Collect the dataclasses that fields of these hold, those in turn hold, and so on."""
    found: set[type] = set()
    waiting = list(classes)
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found.add(cls)
            hints = get_type_hints(cls)
            waiting += [one for each in fields(cls) for one in dataclasses_in(hints[each.name])]
    return found


def dataclasses_in(hint: object) -> Iterator[type]:
    for one in (hint, get_origin(hint)):
        if inspect.isclass(one) and is_dataclass(one) and one.__module__.startswith("medunsup."):
            yield one
    for inner in get_args(hint):
        yield from dataclasses_in(inner)


def field_faults(cls: type) -> list[str]:
    own, told = [each.name for each in fields(cls)], [*named(cls, "Parameters"), *named(cls, "Attributes")]
    return [f"{cls} documents {told}, but has {own}"] * (told != own)


def is_error(name: str) -> bool:
    return hasattr(medunsup.errors, name) or hasattr(builtins, name)


def in_prose(of: object) -> bool:
    return bool(RAISES_IN_PROSE.search(inspect.getdoc(of) or ""))


@pytest.fixture(scope="module")
def shelf(small_brain, people: Path, patient: Path, trained: ModelFolder, tmp_path_factory) -> Path:
    """The files that examples name beside it: a patient, healthy scans, a model of them, a table of cases."""
    from helpers import phantom

    folder = tmp_path_factory.mktemp("examples")
    write_person(folder / "scan.nii.gz", small_brain, 98)
    shutil.copy(patient, folder / "patient.nii.gz")
    (folder / "healthy").mkdir()
    for scan in sorted(people.iterdir())[:12]:
        shutil.copy(scan, folder / "healthy")
    shutil.copytree(trained.path, folder / "runs" / "atlas")
    image, spot = small_brain.mask, np.zeros(small_brain.mask.shape, np.uint8)
    spot[SPOT] = 1
    phantom.save(image.like(spot, kind="label"), folder / "lesions.nii.gz", dtype=np.uint8)
    (folder / "cases.tsv").write_text("scan\tlesions\nscan.nii.gz\t\npatient.nii.gz\tlesions.nii.gz\n")
    return folder


@pytest.fixture
def scan(make_scan, quick_placement, monkeypatch) -> Path:
    """The scan that examples name, in the folder they run in; its registration costs nothing."""
    path = make_scan("scan.nii.gz")
    monkeypatch.chdir(path.parent)
    return path


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WHOLE_RUNS])
def test_examples_run(name: str, scan: Path):
    run_examples(of_name(name), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WHOLE_RUNS))
def test_examples_of_workflows_run(name: str, shelf: Path, quick_placement, monkeypatch):
    monkeypatch.chdir(shelf)
    run_examples(of_name(name), name)


def is_override(function: object, cls: type) -> bool:
    """Tell a method whose contract a base class documents; one line is enough for it."""
    return any(hasattr(base, function.__name__) for base in cls.__bases__)


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
        assert {name for name in own if name.endswith("_")} <= set(named(cls, "Attributes"))

    def test_every_parameter_of_the_config_is_documented(self, card: MethodCard):
        assert_config_is_documented(method(card.area, card.name).Config)

    def test_examples_of_the_class_run(self, card: MethodCard):
        run_examples(method(card.area, card.name), card.name)


@pytest.mark.parametrize("config", [SegmentSettings, TrainSettings])
def test_every_choice_of_a_workflow_is_documented(config: type[Config]):
    assert_config_is_documented(config)


@pytest.mark.parametrize(
    ("of", "choices"),
    [
        (medunsup.segment_many, set(SegmentSettings.model_fields)),
        (medunsup.detect_many, {"alpha", "false_findings", "baselines", "volume", "series", "cache"}),
        (medunsup.train, set(TrainSettings.model_fields) - {"model", "parameters"}),
    ],
)
def test_choices_that_are_passed_on_are_named(of, choices):
    (further,) = (one for one in get_doc_object(of)["Parameters"] if one.name == "**choices")
    assert choices <= set(re.findall(r"\w+", " ".join(further.desc)))


def assert_config_is_documented(config: type[Config]) -> None:
    """Every field has a description, and the docstring lists what the config's signature takes."""
    assert all(field.description for field in config.model_fields.values())
    assert named(config, "Parameters") == list(config.model_fields)
    assert not faults(config, WORDING | PARAMETERS) or not config.model_fields
