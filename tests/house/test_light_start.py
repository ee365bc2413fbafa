"""No module on the way of a scan loads a deep learning framework; tests/cli checks the commands."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "monai", "nilearn", "pandas", "lightning"}


def modules_after(code: str) -> set[str]:
    probe = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "code",
    [
        "import medunsup; medunsup.segment, medunsup.load, medunsup.segment_many",
        "import medunsup.workflows.segment.scan, medunsup.workflows.segment.save, "
        "medunsup.workflows.segment.cohort, medunsup.report.segment.page",
        "import medunsup.preprocess.brain_extraction.brain_mask, "
        "medunsup.preprocess.registration.affine, medunsup.preprocess.geometry.template",
        "from medunsup.core.registry import *; [method('tissue', card.name) for card in methods('tissue')]",
    ],
    ids=["public names", "the way of a scan", "preprocessing", "every tissue method"],
)
def test_nothing_heavy_is_imported_by(code):
    assert not modules_after(code) & HEAVY
