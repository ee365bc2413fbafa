"""Losses against lightly's, where it is installed: `pip install --no-deps lightly lightly-utils`."""

import numpy as np
import pytest
import torch
from helpers.torchvision_stand_in import torchvision_stand_in

from medunsup.selfsupervised.losses.barlow_twins import barlow_twins
from medunsup.selfsupervised.losses.dino import dino, updated_center
from medunsup.selfsupervised.losses.info_nce import info_nce
from medunsup.selfsupervised.losses.nt_xent import nt_xent

with torchvision_stand_in():
    loss = pytest.importorskip("lightly.loss", exc_type=ImportError)


def views(count: int = 2) -> list[torch.Tensor]:
    return list(torch.from_numpy(np.random.default_rng(0).normal(size=(count, 16, 8))))


@pytest.mark.parametrize("temperature", [1e-3, 0.1, 1.0])
def test_nt_xent(temperature):
    one, two = views()
    theirs = loss.NTXentLoss(temperature=temperature)(one, two)
    assert float(nt_xent(one, two, temperature=temperature)) == pytest.approx(float(theirs), rel=1e-6)


def test_info_nce_with_a_queue():
    one, two, queue = views(3)
    theirs = loss.NTXentLoss(temperature=0.07, memory_bank_size=(16, 8)).double()
    theirs.memory_bank.bank = torch.nn.functional.normalize(queue)
    theirs.memory_bank.bank_ptr = torch.zeros(1, dtype=torch.long)
    assert float(info_nce(one, two, queue)) == pytest.approx(float(theirs(one, two)), abs=1e-6)


def test_barlow_twins():
    one, two = (1e3 * each for each in views())
    assert float(barlow_twins(one, two)) == pytest.approx(float(loss.BarlowTwinsLoss()(one, two)), abs=1e-6)


def test_dino_and_its_centre():
    student, teacher = views(4), views(2)
    theirs = loss.DINOLoss(output_dim=8, teacher_temp=0.04, warmup_teacher_temp_epochs=0).double()
    center = torch.zeros(8, dtype=torch.float64)
    for _ in range(3):
        found, expected = dino(student, teacher, center), theirs(teacher, student, epoch=1)
        assert float(found) == pytest.approx(float(expected), abs=1e-6)
        center = updated_center(center, teacher)
