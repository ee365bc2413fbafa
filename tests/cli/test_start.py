"""What it costs to ask for help, and what a run never loads."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "monai",
    "nilearn",
    "SimpleITK",
    "sklearn",
    "scipy",
    "numpy",
    "nibabel",
    "pydicom",
    "pandas",
}
NEVER = {"torch", "monai", "nilearn", "pandas", "sklearn", "lightning"}
LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
RUN = """
import sys
from medunsup.cli.main import run
sys.argv = ["medunsup", *sys.argv[1:]]
try:
    run()
except SystemExit:
    pass
"""
# What was loaded when the first word is said, which ends the run.
UNTIL_THE_FIRST_WORD = """
import json, os, sys
class Listener:
    def __getattr__(self, name):
        return getattr(sys.__stderr__, name)
    def write(self, text):
        print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), flush=True)
        os._exit(0)
sys.stderr = Listener()
"""


def _python(code, *words):
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("words", [["--help"], ["segment", "--help"], ["--version"]])
def test_asking_for_help_loads_nothing_heavy(words):
    loaded = set(json.loads(_python(RUN + LOADED, *words)))
    assert "medunsup" in loaded
    assert not loaded & HEAVY


def test_listing_methods_imports_none_of_them():
    loaded = json.loads(_python(RUN + LOADED, "methods"))
    assert not set(loaded) & HEAVY


def test_the_first_word_of_a_run_comes_before_what_registers_and_learns_is_loaded(make_scan, tmp_path):
    words = ["segment", str(make_scan()), "-o", str(tmp_path / "out")]
    assert not set(json.loads(_python(UNTIL_THE_FIRST_WORD + RUN, *words))) & (NEVER | {"SimpleITK"})


def test_import_medunsup_is_light():
    loaded = set(json.loads(_python("import medunsup\n" + LOADED)))
    assert not loaded & HEAVY


@pytest.mark.slow
def test_a_default_run_loads_no_deep_learning_framework(make_scan, tmp_path):
    scan = make_scan()
    words = ["segment", str(scan), "-o", str(tmp_path / "out"), "--quiet"]
    loaded = set(json.loads(_python(RUN + LOADED, *words)))
    assert "SimpleITK" in loaded
    assert not loaded & NEVER
    assert (tmp_path / "out" / "scan_dseg.json").exists()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("medunsup seg", "segment"),
        ("medunsup segment --learn", "--learn-prior"),
        ("medunsup segment --method atl", "atlas_gmm"),
        ("medunsup segment --config fa", "fast"),
    ],
)
def test_the_shell_completes_verbs_options_methods_and_presets(typed, offered):
    words = typed.split()
    asked = {"_MEDUNSUP_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    run = "import sys; sys.argv = ['medunsup']; from medunsup.cli.main import run; run()"
    environment = {**os.environ, **asked}
    done = subprocess.run(
        [sys.executable, "-c", run], capture_output=True, text=True, timeout=60, env=environment
    )
    assert offered in done.stdout.split()


@pytest.mark.parametrize("verb", [[], ["segment"], ["bids"], ["doctor"]])
def test_help_names_a_value_only_for_options_that_take_one(verb):
    done = subprocess.run(
        [sys.executable, "-c", RUN, *verb, "--help"], capture_output=True, text=True, timeout=60
    )
    assert "--help" in done.stdout
    assert "bool" not in done.stdout
