"""Images that features learned lie in a folder of their table, and never replace those of another."""

import numpy as np
import pytest

from medunsup.core.errors import OutputError
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.workflows.embed.learned_images import check_images, images_folder, write_images

SPACING = 8.0


class Kind:
    """A kind of features that learned so many images."""

    needs_fit = True

    def __init__(self, n: int) -> None:
        self.n = n

    def images(self):
        yield from ((f"image{one}", np.full(ModelSpace(SPACING).grid.shape, one)) for one in range(self.n))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fewer_images_leave_none_of_those_before_and_others_files_stay(tmp_path):
    table = tmp_path / "features.csv"
    write_images(table, {"pca": Kind(3)}, SPACING)
    folder = images_folder(table, "pca")
    (folder / "mine.txt").write_text("mine")
    check_images(table, {"pca": Kind(1)}, force=False)
    write_images(table, {"pca": Kind(1)}, SPACING)
    assert names(folder) == ["image0.nii.gz", "images.json", "mine.txt"]


def test_another_tables_images_and_a_folder_of_others_are_not_replaced(tmp_path):
    write_images(tmp_path / "features.csv", {"pca": Kind(1)}, SPACING)
    other = tmp_path / "features.parquet"
    with pytest.raises(OutputError, match=r"holds the images of features\.csv"):
        check_images(other, {"pca": Kind(1)}, force=False)
    check_images(other, {"pca": Kind(1)}, force=True)
    foreign = tmp_path / "mine_pca"
    foreign.mkdir()
    check_images(tmp_path / "mine.csv", {"pca": Kind(1)}, force=False)
    (foreign / "mean.nii.gz").write_bytes(b"mine")
    with pytest.raises(OutputError, match="not ours"):
        check_images(tmp_path / "mine.csv", {"pca": Kind(1)}, force=False)
