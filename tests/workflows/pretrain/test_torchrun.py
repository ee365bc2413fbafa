"""Processes that `torchrun` or Slurm starts train together, by the command alone; all tests are slow."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import one_machine_slurm
from safetensors.numpy import load_file

pytestmark = pytest.mark.slow

PRETRAIN = ["pretrain", "simclr", "--data", "images.npz", "--set", "dims=2", "--set", "batch_size=8"]
PRETRAIN += ["--set", "epochs=2"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d"]
TORCHRUN += ["--rdzv-endpoint", "localhost:0", "-m", "medunsup"]
NODE = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
NODE += ["--rdzv-backend", "c10d", "--rdzv-id", "test"]
ALONE = """
import dataclasses, sys
from medunsup.cli.main import run
from medunsup.workflows.pretrain import learn
plain = learn.training_of
learn.training_of = lambda *given, **named: dataclasses.replace(plain(*given, **named), parts=2)
sys.argv = ["medunsup", *sys.argv[1:]]
run()
"""
SCRIPT = """#!/bin/bash
#SBATCH --ntasks=1 --cpus-per-task=2 --time=10 --output=pretrain.log
srun torchrun --nproc-per-node 2 -m medunsup {words}
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    draw = np.random.default_rng(0)
    images = {name: draw.random((n, 16, 16), np.float32) for name, n in (("train", 24), ("val", 6))}
    np.savez(tmp_path / "images.npz", **{f"{name}_images": values for name, values in images.items()})
    return tmp_path


def call(words, folder, **variables):
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": paths, **variables}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "encoder.safetensors")


def test_two_processes_of_torchrun_learn_what_one_learns_from_the_same_pieces(folder):
    one = call([sys.executable, "-c", ALONE, *PRETRAIN, "-o", "one"], folder)
    two = call([*TORCHRUN, *PRETRAIN, "-o", "two"], folder)
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert two.stderr.count("drawing the page") == 1
    first, second = weights(folder / "one"), weights(folder / "two")
    assert max(np.abs(first[key] - second[key]).max() for key in first) <= 1e-6


def test_two_nodes_learn_what_one_process_learns_from_the_same_pieces(folder):
    one = call([sys.executable, "-c", ALONE, *PRETRAIN, "-o", "one"], folder)
    node = [*NODE, "--rdzv-endpoint", f"127.0.0.1:{free_port()}", "-m", "medunsup", *PRETRAIN, "-o", "two"]
    begun = [
        subprocess.Popen(
            [*node[:3], "--node-rank", rank, *node[3:]], cwd=folder, stderr=subprocess.PIPE, text=True
        )
        for rank in "01"
    ]
    said = [process.communicate(timeout=300)[1] for process in begun]
    assert (one.returncode, *(process.returncode for process in begun)) == (0, 0, 0), said
    assert sum(text.count("drawing the page") for text in said) == 1
    first, second = weights(folder / "one"), weights(folder / "two")
    assert max(np.abs(first[key] - second[key]).max() for key in first) <= 1e-6


def test_a_wrong_choice_ends_all_processes_with_one_word_of_it(folder):
    done = call([*TORCHRUN, *PRETRAIN, "--set", "epochz=2", "-o", "out"], folder)
    assert done.returncode != 0
    assert done.stderr.count("did you mean 'epochs'?") == 1


def test_what_does_not_train_is_done_once(folder):
    done = call([*TORCHRUN, "methods", "selfsupervised"], folder)
    assert done.returncode == 0, done.stderr
    once = call([sys.executable, "-m", "medunsup", "methods", "selfsupervised"], folder)
    assert done.stdout == once.stdout


def test_a_script_of_slurm_needs_nothing_else(folder, tmp_path_factory):
    if why := one_machine_slurm.why_not():
        pytest.skip(why)
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core")
    (folder / "job.sh").write_text(SCRIPT.format(words=" ".join([*PRETRAIN, "-o", "out"])))
    with one_machine_slurm.running(tmp_path_factory.mktemp("slurm")) as variables:
        done = call(["sbatch", "--wait", "job.sh"], folder, **variables)
    time.sleep(0.2)
    assert done.returncode == 0, (folder / "pretrain.log").read_text()
    assert (folder / "out" / "encoder.safetensors").exists()
