"""What tests of several workflows need."""

import pytest
from helpers import one_machine_slurm


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    """Variables under which commands find a Slurm of this machine; none where it cannot run."""
    if one_machine_slurm.why_not():
        yield {}
        return
    with one_machine_slurm.running(tmp_path_factory.mktemp("slurm")) as needed:
        yield needed
