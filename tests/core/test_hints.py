"""One message, worded for who reads it: in Python as in a call, in a terminal as words of a command."""

import ast
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers.worded import say_hints
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cohort.executors.processes import run_all
from medunsup.core.hints import both, option, worded_for, words

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(True)


@given(VALUES | st.dictionaries(TEXTS, TEXTS, min_size=1))
def test_what_a_python_user_reads_can_be_typed_into_a_call(value):
    (given_,) = ast.parse(f"f({option('healthy', value)})", mode="eval").body.keywords
    assert given_.arg == "healthy"
    assert ast.literal_eval(given_.value) == value


@given(TEXTS | st.integers())
def test_what_a_terminal_user_reads_can_be_typed_into_a_shell(value):
    with worded_for("train"):
        assert shlex.split(option("healthy", value)) == ["--healthy", str(value)]


@pytest.mark.parametrize(
    ("name", "value", "in_python", "in_terminal"),
    [
        ("force", True, "force=True", "--force"),
        ("contrast", None, "`contrast`", "--contrast"),
        ("contrast", "T2w", 'contrast="T2w"', "--contrast T2w"),
        ("out", Path("a b"), 'out="a b"', "-o 'a b'"),
        ("jobs", 1, "jobs=1", "--jobs 1"),
        ("fp_per_scan", 0.5, "fp_per_scan=0.5", "--fp-per-scan 0.5"),
        ("with_contrasts", {"T2w": "b.nii"}, 'with_contrasts={"T2w": "b.nii"}', "--with T2w=b.nii"),
        ("parameters", {"a": 1, "b": 2}, 'parameters={"a": 1, "b": 2}', "--set a=1 --set b=2"),
    ],
)
def test_an_option_is_named_as_its_reader_gives_it(name, value, in_python, in_terminal):
    assert option(name, value) == in_python
    with worded_for("segment"):
        assert option(name, value) == in_terminal == shlex.join(words(name, value))
        with worded_for(None):
            assert option(name, value) == in_python


def test_what_is_kept_reads_the_same_whoever_made_it():
    for verb in (None, "segment", "bids"):
        with worded_for(verb):
            assert both("mask") == "mask (--mask)"
            assert both("contrast", "T2w") == 'contrast="T2w" (--contrast T2w)'


def test_bids_takes_its_output_folder_by_place():
    with worded_for("bids"):
        assert option("out") == "OUTPUT_DIR"
        assert option("out", "there") == "there"


def test_python_is_spoken_to_again_after_a_command_that_failed():
    with pytest.raises(ZeroDivisionError), worded_for("segment"):
        raise ZeroDivisionError
    assert option("force", True) == "force=True"


@pytest.mark.parametrize(
    ("verb", "words"), [(None, "force=True"), ("segment", "--force")], ids=["python", "terminal"]
)
def test_threads_and_other_processes_word_their_messages_as_this_one(verb, words):
    with worded_for(verb):
        found = dict(run_all(say_hints, [0, 1], 2, lambda index, text: None))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(say_hints, 0, None).result() == found[0] == found[1]
    assert found[0][0] == words
    assert ("--debug" in found[0][1]) == (verb is not None)
