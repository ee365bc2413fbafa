"""Executors by name: what is asked of another one is refused, and a dry run shows the script."""

import json

import pytest
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import UsageError


@pytest.mark.parametrize("name", ["processes", "dask", "slurm"])
def test_each_is_made_by_its_name(name):
    assert medunsup.executor(name, jobs=2).name == name


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("pbs", {}, "There is no executor 'pbs'. Known: processes, dask, slurm"),
        ("processes", {"mem": "2G"}, 'mem is a setting of slurm, not of processes. Add executor="slurm"'),
        ("slurm", {"workers": "tcp://a:1"}, "workers is a setting of dask, not of slurm"),
        ("slurm", {"time": "soon"}, "time"),
        ("slurm", {"cpus": 0}, "cpus"),
    ],
)
def test_what_it_does_not_know_is_refused_with_the_remedy(name, settings, told):
    with pytest.raises(UsageError) as refused:
        medunsup.executor(name, **settings)
    assert told in str(refused.value)


def test_a_dry_run_shows_plan_and_script_and_writes_nothing(make_scan, tmp_path):
    scans = [str(make_scan(f"{name}.nii.gz", seed=n)) for n, name in enumerate("ab")]
    out = tmp_path / "out"
    words = ["segment", *scans, "-o", str(out), "--executor", "slurm", "--time", "10", "--dry-run"]
    printed = CliRunner().invoke(app, words).output
    assert printed.count(": to do") == 2
    assert "#SBATCH --array=0-1" in printed
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert "#SBATCH --time=10" in told["script"]
    assert not out.exists()
