"""No message names an option by hand, and each that is named is there, in Python and on the command line."""

import ast
import inspect
import re
from pathlib import Path

import pytest
import typer

import medunsup
from medunsup.cli.main import app
from medunsup.core.config import Config
from medunsup.core.hints import ARGUMENTS, FLAGS, words
from medunsup.core.registry import PACKAGE
from medunsup.workflows.cluster.settings import ClusterSettings
from medunsup.workflows.embed.settings import EmbedSettings
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.pretrain.settings import PretrainSettings
from medunsup.workflows.probe.settings import ProbeSettings
from medunsup.workflows.reduce.settings import ReduceSettings
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.train.settings import TrainSettings

MECHANISM = PACKAGE / "core" / "hints.py"
BELOW_CLI = [
    path for path in sorted(PACKAGE.rglob("*.py")) if "cli" not in path.relative_to(PACKAGE).parts[:1]
]
TEMPLATES = sorted(PACKAGE.rglob("*.j2"))
BY_HAND = re.compile(r"(?<![\w-])(--(?=[a-z]|$)[a-z-]*|-o\b)")
OF_OTHER_PROGRAMS = {"--include", "--no-deps", "--nthreads"}  # git lfs, pip, dask
CALLS_SLURM = [PACKAGE / "cohort/executors/slurm" / name for name in ("queue.py", "script.py")]
CHOICES: dict[str, tuple[list[object], list[type[Config]]]] = {
    "segment": ([medunsup.segment, medunsup.segment_many, medunsup.executor], [SegmentSettings]),
    "detect": ([medunsup.detect, medunsup.detect_many], []),
    "train": ([medunsup.train], [TrainSettings]),
    "evaluate": ([medunsup.evaluate], []),
    "pretrain": ([medunsup.pretrain], [PretrainSettings]),
    "export": ([medunsup.export], []),
    "attention": ([medunsup.attention], []),
    "embed": ([medunsup.embed], [EmbedSettings]),
    "probe": ([medunsup.probe], [ProbeSettings]),
    "finetune": ([medunsup.finetune], [FinetuneSettings]),
    "predict": ([medunsup.predict, medunsup.predict_many], []),
    "reduce": ([medunsup.reduce], [ReduceSettings]),
    "cluster": ([medunsup.cluster], [ClusterSettings]),
    "send": ([medunsup.send], []),
    "watch": ([medunsup.watch], [SegmentSettings]),
}
READ_BY = {"train": ["train", "detect"]}  # what a model folder says of itself


@pytest.mark.parametrize("path", BELOW_CLI, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_message_names_an_option_by_hand(path: Path):
    if path not in (MECHANISM, *CALLS_SLURM):
        found = {word for text in _strings(path) for word in BY_HAND.findall(text)}
        assert found <= OF_OTHER_PROGRAMS, "use medunsup.core.hints"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_page_names_an_option_by_hand(path: Path):
    marks = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^>]*>", re.DOTALL)
    assert not BY_HAND.findall(marks.sub("", path.read_text(encoding="utf-8"))), "use both(...)"


def test_an_option_named_by_hand_would_be_found(tmp_path):
    path = tmp_path / "made.py"
    path.write_text(
        '"""--doc"""\n"""-o"""\nf("Pass --force.", f"--{n}", "with -o", "a-o", "a - o", "a--b")\n'
    )
    assert [BY_HAND.findall(text) for text in _strings(path)] == [["--force"], ["--"], ["-o"], [], [], []]


def _strings(path: Path) -> list[str]:
    """All strings of a module but its docstrings, in their order; of f-strings each piece."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documenting = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documenting
    ]
    return [node.value for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]


def _named() -> list[tuple[str, str]]:
    """Each option that a message names, with the verb whose folder its module lies in, or "" if in none."""
    found = set()
    for path in BELOW_CLI:
        verb = next((part for part in path.relative_to(PACKAGE).parts[:-1] if part in CHOICES), "")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("option", "both"):
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}: name the option"
                found.add((node.args[0].value, verb))
    return sorted((name, verb) for name, verb in found if name != "debug")  # which has no sense in Python


def _in_python(verb: str) -> set[str]:
    functions, configs = CHOICES[verb]
    named = {name for function in functions for name in inspect.signature(function).parameters}
    return named.union(*(config.model_fields for config in configs))


def _in_terminal(verb: str) -> set[str]:
    return {word for parameter in _command(verb).params for word in parameter.opts}


def _command(verb: str):
    return typer.main.get_command(app).commands[verb]


@pytest.mark.parametrize(("name", "verb"), _named())
def test_an_option_that_a_message_names_is_there_in_python_and_on_the_command_line(name, verb):
    verbs = READ_BY.get(verb, [verb]) if verb else list(CHOICES)
    assert any(name in _in_python(each) for each in verbs)
    assert any(words(name)[0] in _in_terminal(each) for each in verbs)


def test_the_names_that_differ_are_there_too():
    assert set(FLAGS.values()) <= set().union(*(_in_terminal(verb) for verb in CHOICES))
    for (verb, _), metavar in ARGUMENTS.items():
        (parameter,) = [one for one in _command(verb).params if one.name.upper() == metavar]
        assert parameter.param_type_name == "argument"
