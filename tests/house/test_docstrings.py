"""What `help()` says of the public API is whole, agrees with the code, and its examples run.

The form is numpydoc's. Public are the names of `medunsup.__all__` and every registered class with its config.
"""

import doctest

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

import medunsup
from medunsup.core.config import Config
from medunsup.core.registry import MethodCard, method, methods
from medunsup.run.detect_settings import TrainSettings
from medunsup.run.settings import SegmentSettings

CARDS = methods()
NAMES = [name for name in medunsup.__all__ if not name.startswith("_")]
WAY_OF_WRITING = {"GL03", "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06"}
PARAMETERS = {"PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08", "PR09", "PR10"}
RESULTS = {"RT01", "RT02", "RT03", "RT04", "RT05", "YD01"}
EXAMPLES = {"EX01"}


def faults(of: object, codes: set[str]) -> list[str]:
    """What numpydoc has to say against one docstring."""
    found = validate(get_doc_object(of))["errors"]
    return [f"{getattr(of, '__qualname__', of)}: {text}" for code, text in found if code in codes]


def named(of: object, section: str) -> list[str]:
    """Names that a section of a docstring documents, in its order."""
    return [one.name or one.type for one in get_doc_object(of)[section]]


def run_examples(of: object, name: str) -> None:
    """Run the examples of a docstring as they stand; a class's with those of its methods."""
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in doctest.DocTestFinder().find(of, name, globs={}):
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.area}-{card.name}")
class TestRegistered:
    def test_class_is_documented(self, card: MethodCard):
        cls = method(card.area, card.name)
        assert not faults(cls, WAY_OF_WRITING | PARAMETERS | EXAMPLES)
        document = get_doc_object(cls)
        assert card.paper in " ".join(document["References"])
        assert card.limit in " ".join(document["Notes"])
        own = [name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})]
        assert {name for name in own if name.endswith("_")} <= set(named(cls, "Attributes"))

    def test_every_parameter_of_the_config_is_documented(self, card: MethodCard):
        assert_config_is_documented(method(card.area, card.name).Config)

    def test_examples_run(self, card: MethodCard):
        run_examples(method(card.area, card.name), card.name)


@pytest.mark.parametrize("config", [SegmentSettings, TrainSettings])
def test_every_choice_of_a_workflow_is_documented(config: type[Config]):
    assert_config_is_documented(config)


def assert_config_is_documented(config: type[Config]) -> None:
    """Every field has a description, and the docstring lists what the config's signature takes."""
    assert all(field.description for field in config.model_fields.values())
    assert named(config, "Parameters") == list(config.model_fields)
    assert not faults(config, WAY_OF_WRITING | PARAMETERS) or not config.model_fields
