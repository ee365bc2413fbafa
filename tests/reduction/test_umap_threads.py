"""UMAP leaves the threads of its process alone, on which a training's last bits depend."""

import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np, torch
torch.set_num_threads(1)
from medunsup.reduction import UMAP
UMAP(epochs=5).fit(np.random.default_rng(0).normal(size=(40, 4)))
print(torch.get_num_threads())
"""


@pytest.mark.slow
def test_threads_of_torch_are_as_many_after_a_map_as_before():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["1"]
