"""Results to report on, made from the phantom's truth; nothing is segmented here."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.chromium_pipe import find_browser
from helpers.phantom import Anatomy, make_anatomy

from medunsup.core.geometry import Grid
from medunsup.core.labels import TISSUES, class_table
from medunsup.core.record import Record
from medunsup.core.volume import Source, Volume
from medunsup.tissue.base import Component
from medunsup.tissue.result import Fit, Quality, TissueResult, TissueVolume


def as_result(anatomy: Anatomy, image: Volume | None = None) -> TissueResult:
    """A result that says the truth about the phantom, with a record that fell back once."""
    image = image or anatomy.image()
    grid = Grid(image.shape, image.affine)
    source = Source("/clinic/DOE_JANE/sub-01_T1w.nii.gz", "nifti", grid, sha256="ab" * 32)
    image = replace(image, source=source)
    inside = anatomy.mask.data
    fractions = anatomy.fractions[:3] * inside / np.maximum(anatomy.fractions[:3].sum(axis=0), 1e-6)
    entropy = -(fractions * np.log(np.maximum(fractions, 1e-9))).sum(axis=0) / np.log(3)
    labels = image.like(anatomy.labels.data, "label")
    return TissueResult(
        image=image,
        corrected=image,
        brain_mask=image.like(inside, "mask"),
        labels=labels,
        fractions={t.abbreviation: image.like(fractions[n], "probability") for n, t in enumerate(TISSUES)},
        uncertainty=image.like(entropy.astype(np.float32), "score"),
        tissues=volumes_of(labels, fractions, inside),
        fit=fit_of(image.data[inside], labels.data[inside]),
        quality=Quality("check", ("The template fits loosely.",), {"template_fit": 0.31}),
        record=made_record(),
        parameters={"method": "gmm", "tissues": 3},
    )


def volumes_of(labels: Volume, fractions: np.ndarray, inside: np.ndarray) -> tuple[TissueVolume, ...]:
    voxel = labels.voxel_volume_mm3
    return tuple(
        TissueVolume(
            label,
            float(fractions[n].sum()) * voxel,
            float((labels.data == label.index).sum()) * voxel,
            float(fractions[n].sum() / inside.sum()),
        )
        for n, label in enumerate(class_table(len(fractions)))
    )


def fit_of(values: np.ndarray, labels: np.ndarray) -> Fit:
    counts, edges = np.histogram(values, 64)
    components = tuple(
        Component(
            label.abbreviation,
            float((labels == label.index).mean()),
            (float(values[labels == label.index].mean()),),
            (float(values[labels == label.index].std()),),
        )
        for label in TISSUES
    )
    return Fit("gmm", components, (-2.0, -1.6, -1.5), True, tuple(counts.tolist()), tuple(edges.tolist()))


def made_record() -> Record:
    record = Record()
    with record.step("load") as step:
        step.findings["file"] = "sub-01_T1w.nii.gz"
    with record.step("brain mask", given=True):
        pass
    with record.step("priors") as step:
        step.warn("The priors were weakened where the template does not fit.", degraded=True)
    with record.step("mixture", method="gmm") as step:
        step.findings |= {"iterations": 3, "converged": True}
    return record


def marked_on_the_right(anatomy: Anatomy) -> TissueResult:
    """A result whose scan has a very bright block in the patient's right half."""
    image = anatomy.image(noise=0.0, bias=0.0)
    data = image.data.copy()
    middle = np.array(data.shape) // 2
    right = slice(middle[0] + 10, middle[0] + 13)  # RAS+: larger index, farther right
    data[right, middle[1] - 2 : middle[1] + 3, middle[2] - 2 : middle[2] + 3] = (
        2000  # too few to shift the window
    )
    return as_result(anatomy, image.like(data))


@pytest.fixture(scope="session")
def result(brain: Anatomy) -> TissueResult:
    return as_result(brain)


@pytest.fixture(scope="session")
def marked(brain: Anatomy) -> TissueResult:
    return marked_on_the_right(brain)


@pytest.fixture(scope="session")
def only_the_mark(marked: TissueResult) -> TissueResult:
    """The same with all but the bright block black."""
    return replace(
        marked, image=marked.image.like(np.where(marked.image.data > 1000, 2000, 0).astype(np.float32))
    )


def padded(result: TissueResult, voxels: int = 12) -> TissueResult:
    """The same scan with empty voxels on all sides, the world unchanged."""
    affine = result.image.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, voxels)

    def grow(volume: Volume) -> Volume:
        return replace(volume, data=np.pad(volume.data, voxels), affine=affine)

    names = ("image", "corrected", "brain_mask", "labels", "uncertainty")
    grown = {name: grow(getattr(result, name)) for name in names}
    return replace(result, **grown, fractions={name: grow(one) for name, one in result.fractions.items()})


@pytest.fixture(scope="session")
def only_the_mark_padded(only_the_mark: TissueResult) -> TissueResult:
    """The bright block again, in a scan with much air around the brain."""
    return padded(only_the_mark)


@pytest.fixture(scope="session")
def thick() -> TissueResult:
    """Slices of 8 mm with 2 mm pixels."""
    return as_result(make_anatomy(spacing_mm=(2.0, 2.0, 8.0)))


@pytest.fixture(scope="session")
def page_text(result: TissueResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    from medunsup.report.segment.page import write_page

    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    return write_page(result, path, command="medunsup segment sub-01_T1w.nii.gz").read_text("utf-8")


@pytest.fixture(scope="session")
def browser() -> str:
    """Where Chromium is; without one the test is skipped."""
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium is installed")
    return found
