"""Label maps beside scans: on the template grid with their volumes, and what is refused."""

import numpy as np
import pytest
from helpers import phantom

from medunsup.cohort.finetuned.folder import as_labels
from medunsup.cohort.label_maps import label_table, on_template_grid, read_labels
from medunsup.core.errors import GeometryError, InputError
from medunsup.core.volume import Volume
from medunsup.metrics import dice
from medunsup.workflows.finetune.measure import in_native_space


@pytest.fixture(scope="module")
def brain() -> phantom.Anatomy:
    return phantom.make_anatomy(spacing_mm=(2, 2, 2))


def test_labels_keep_their_volumes_on_the_template_grid_and_come_back(brain):
    labels = brain.labels.data.astype(np.int32)
    place = np.eye(4)
    place[:3, 3] = (1.0, 17.0, -10.5)
    on_grid = on_template_grid(labels, brain.labels, place, 3.0)
    for label in (1, 2, 3):
        assert (on_grid == label).sum() * 27 == pytest.approx((labels == label).sum() * 8, rel=0.01)
    shares = np.eye(4, dtype=np.float32)[on_grid].transpose(3, 0, 1, 2)
    back = in_native_space(shares, place, 3.0, brain.labels.grid)
    assert [dice(back, labels, label) > 0.8 for label in (1, 2, 3)] == [True] * 3


def test_beyond_the_template_grid_all_is_background(brain):
    shares = np.zeros((2, 48, 64, 48), np.float32)
    far = np.eye(4)
    far[:3, 3] = 1000
    shares[1] = 1
    assert not in_native_space(shares, far, 4.0, brain.labels.grid).any()


def test_any_axis_order_of_the_file_reads_the_same(brain, tmp_path):
    paths = [
        phantom.save(brain.labels, tmp_path / f"{axes}.nii.gz", axes=axes, dtype=np.int16)
        for axes in ("RAS", "LPS", "PIR")
    ]
    found = [read_labels(path, brain.labels) for path in paths]
    assert all(np.array_equal(one, brain.labels.data) for one in found)


def test_an_empty_map_is_all_background(brain, tmp_path):
    empty = brain.labels.like(np.zeros_like(brain.labels.data))
    path = phantom.save(empty, tmp_path / "empty.nii.gz", dtype=np.uint8)
    assert not read_labels(path, brain.labels).any()


@pytest.mark.parametrize("shift_mm", [0.5, 40.0])
def test_another_grid_is_refused(brain, tmp_path, shift_mm):
    affine = brain.labels.affine.copy()
    affine[1, 3] += shift_mm
    path = phantom.save(Volume(brain.labels.data, affine, "label"), tmp_path / "moved.nii.gz", dtype=np.uint8)
    with pytest.raises(GeometryError, match="another grid"):
        read_labels(path, brain.labels)


@pytest.mark.parametrize("change", [lambda data: data + 0.5 * (data > 1), lambda data: data - 1.0])
def test_parts_of_numbers_and_numbers_below_zero_are_refused(brain, tmp_path, change):
    made = brain.labels.like(change(brain.labels.data.astype(np.float32)), kind="image")
    path = phantom.save(made, tmp_path / "odd.nii.gz")
    with pytest.raises(InputError, match="is no label map"):
        read_labels(path, brain.labels)


def test_labels_are_named_by_a_table_or_their_numbers(tmp_path):
    (tmp_path / "names.tsv").write_text("index\tname\n10\tThalamus\n99\tNowhere\n")
    table = label_table([0, 1024, 10], tmp_path / "names.tsv")
    assert [(one.index, one.name) for one in table] == [(10, "Thalamus"), (1024, "label 1024")]
    assert as_labels(np.array([0, 2, 1]), table).tolist() == [0, 1024, 10]
    assert as_labels(np.array([0, 2, 1]), table).dtype == np.uint16


@pytest.mark.parametrize("values", [[0], [], range(300), [70_000]])
def test_no_labels_too_many_and_too_large_ones_are_refused(values):
    with pytest.raises(InputError, match="Give 1 to 255 labels"):
        label_table(values)
