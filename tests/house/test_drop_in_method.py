"""Adding a method touches one file: a toy dropped beside the others is listed, offered, run and tested."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOY = '''"""Thresholds a third and two thirds of the way: a method in one file."""

import numpy as np
from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod


class ToyConfig(TextbookConfig):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy",
    family="thresholds",
    dims=(2, 3),
    paper="Nobody (2026), A toy.",
    limit="Only there to show that one file is enough.",
)
class Toy(TextbookMethod):
    """Nearest of three fixed quantiles."""

    Config = ToyConfig

    def _fit(self, sample, n_classes):
        from types import SimpleNamespace

        centers = np.stack([sample.min(axis=0), np.median(sample, axis=0), sample.max(axis=0)])[:n_classes]
        model = SimpleNamespace(centers=centers, n_iter_=1)
        return Fitted(model, np.full(n_classes, 1 / n_classes), centers, np.ones_like(centers), (0.0,), True)

    def _probabilities(self, model, values):
        distance = ((values[:, None] - model.centers) ** 2).sum(axis=2)
        return (distance.argmin(axis=1)[:, None] == np.arange(len(model.centers))).astype(float)
'''

TOY_MODEL = '''"""The mean of healthy scans: an anomaly model in one file."""

import numpy as np
from pydantic import Field

from medunsup.anomaly.base import AnomalyModel, check_mask
from medunsup.anomaly.residual import over_channels
from medunsup.core.config import Config
from medunsup.core.registry import register


class ToyMeanConfig(Config):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy_mean",
    family="atlas",
    dims=(2, 3),
    paper="Nobody (2026), A toy model.",
    limit="Only there to show that one file is enough for a model.",
)
class ToyMean(AnomalyModel):
    """Mean of each voxel over all scans."""

    Config = ToyMeanConfig

    def fit(self, scans, *, validation=None, training=None):
        self.mean_ = scans.values.mean(axis=0)
        return self

    def reconstruct(self, values, mask):
        check_mask(mask, self.method_name)
        return self.mean_ * mask

    def deviation(self, values, mask):
        check_mask(mask, self.method_name)
        return over_channels(np.abs(values - self.mean_), mask)

    def state(self):
        return {"mean": self.mean_}

    def load_state(self, state, shape):
        self.mean_ = state["mean"]
        return self
'''

TOY_SCORE = '''"""The squared residual: a score in one file."""

import numpy as np
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.anomaly.residual import over_channels, residual
from medunsup.core.config import Config
from medunsup.core.registry import register


class ToySquareConfig(Config):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy_square",
    family="residual",
    dims=(2, 3),
    paper="Nobody (2026), A toy score.",
    limit="Only there to show that one file is enough for a score.",
)
class ToySquare(Score):
    """Square of the difference to the reconstruction."""

    Config = ToySquareConfig

    def map(self, model, values, mask):
        return over_channels(residual(model, values, mask) ** 2, mask)
'''

TOY_PRETEXT = '''"""Encodes an image and its mirror image alike: a pretraining method in one file."""

from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.training.learner import Loss


class ToyMirrorConfig(PretrainConfig):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


class ToyMirrorLearner(PretrainLearner):
    """The encoder alone."""

    def objectives(self):
        return [self.objective("alike", self.loss)]

    def loss(self, batch, generator):
        one, other = (self.encoder.features(x) for x in (batch.values, batch.values.flip(2)))
        return Loss((one - other).square().mean(), {})


@register(
    "toy_mirror",
    family="toys",
    dims=(2, 3),
    paper="Nobody (2026), A toy pretext.",
    limit="Only there to show that one file is enough for a pretext task.",
)
class ToyMirror(SelfSupervised):
    """Features of an image and of its mirror image are drawn together."""

    Config = ToyMirrorConfig

    def build(self, shape):
        return ToyMirrorLearner(shape, self.config)
'''

TOY_ENCODER = '''"""One convolution: an encoder in one file."""

from pydantic import Field

from medunsup.core.registry import register
from medunsup.nn.blocks import convolution
from medunsup.nn.encoder import Encoder, EncoderConfig


class ToyEdgesConfig(EncoderConfig):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy_edges",
    family="toys",
    dims=(2, 3),
    paper="Nobody (2026), A toy encoder.",
    limit="Only there to show that one file is enough for an encoder.",
)
class ToyEdges(Encoder):
    """A single convolution of stride 2."""

    Config = ToyEdgesConfig
    stem = "edges."

    def __init__(self, config=None, *, dims, channels):
        super().__init__(config, dims=dims, channels=channels)
        self.widths, self.strides = (5,), (2,)
        self.edges = convolution(dims, channels, 5, stride=2)

    def maps(self, x):
        return [self.edges(x)]
'''

TOY_FEW_LABELS = '''"""The class of the nearest labelled row: a method for few labels in one file."""

import numpy as np
from pydantic import Field

from medunsup.core.registry import register
from medunsup.semisupervised.features import FeatureClassifier, FeatureConfig


class ToyNearestConfig(FeatureConfig):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy_nearest",
    family="features",
    dims=(2, 3),
    paper="Nobody (2026), A toy for few labels.",
    limit="Only there to show that one file is enough for few labels.",
)
class ToyNearest(FeatureClassifier):
    """The class of the nearest labelled row."""

    Config = ToyNearestConfig

    def _fit(self, rows, targets):
        self._rows, self._targets = rows[targets >= 0], targets[targets >= 0]
        return 1.0

    def _probabilities(self, rows):
        distances = ((rows[:, None] - self._rows) ** 2).sum(axis=2)
        return np.eye(len(self.classes_))[self._targets[distances.argmin(axis=1)]]
'''

TOY_FEATURE = '''"""How bright the brightest voxel is: a kind of features in one file."""

from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.features.base import Feature


class ToyBrightestConfig(Config):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy_brightest",
    family="toys",
    dims=(2, 3),
    paper="Nobody (2026), A toy kind of features.",
    limit="Only there to show that one file is enough for features.",
)
class ToyBrightest(Feature):
    """The highest intensity."""

    Config = ToyBrightestConfig

    def describe(self):
        return {"highest": "highest intensity in the brain"}

    def _values(self, scan):
        return [scan.values[0][scan.mask].max()]
'''

TOY_CLUSTERING = '''"""Halves of the range of the first feature: a clustering method in one file."""

import numpy as np
from pydantic import Field

from medunsup.clustering.base import Clustering, ClusteringConfig
from medunsup.core.registry import register


class ToyHalvesConfig(ClusteringConfig):
    """Parameters of the toy."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy_halves",
    family="toys",
    dims=(2, 3),
    paper="Nobody (2026), A toy clustering.",
    limit="Only there to show that one file is enough for a clustering.",
)
class ToyHalves(Clustering):
    """Equal parts of the range of the first feature."""

    Config = ToyHalvesConfig

    def __init__(self, *, n_clusters=2, sharpness=1.0, seed=0):
        self.n_clusters = n_clusters
        self.sharpness = sharpness
        self.seed = seed

    def _fit(self, rows, n_clusters, config):
        self._edges = np.linspace(rows[0, 0], rows[-1, 0], n_clusters + 1)[1:-1]
        return self._soft(rows).argmax(axis=1)

    def _soft(self, rows):
        return np.eye(len(self._edges) + 1)[np.searchsorted(self._edges, rows[:, 0])]
'''

FILES = {
    "clustering/methods/toy_halves.py": TOY_CLUSTERING,
    "features/methods/toy_brightest.py": TOY_FEATURE,
    "nn/encoders/toy_edges.py": TOY_ENCODER,
    "tissue/methods/toy.py": TOY,
    "anomaly/models/toy_mean.py": TOY_MODEL,
    "anomaly/scores/toy_square.py": TOY_SCORE,
    "selfsupervised/methods/toy_mirror.py": TOY_PRETEXT,
    "semisupervised/methods/toy_nearest.py": TOY_FEW_LABELS,
}
each_area = pytest.mark.parametrize(
    ("area", "name"),
    [
        ("tissue", "toy"),
        ("anomaly", "toy_mean"),
        ("score", "toy_square"),
        ("feature", "toy_brightest"),
        ("selfsupervised", "toy_mirror"),
        ("semisupervised", "toy_nearest"),
        ("clustering", "toy_halves"),
        ("encoder", "toy_edges"),
    ],
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory, repository) -> Path:
    """A copy of the package and its tests with one file more in each area."""
    root = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("medunsup", "configs", "tests"):
        shutil.copytree(repository / folder, root / folder, ignore=ignore)
    shutil.copy(repository / "pyproject.toml", root)
    for path, text in FILES.items():
        (root / "medunsup" / path).write_text(text, encoding="utf-8")
    return root


def run(tree: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(tree), "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, *words], cwd=tree, env=environment, capture_output=True, text=True, timeout=300
    )


def medunsup(tree: Path, *words: str) -> subprocess.CompletedProcess:
    return run(tree, "-c", "from medunsup.cli.main import run; run()", *words)


@each_area
def test_toy_is_listed_with_its_card(tree, area, name):
    done = medunsup(tree, "methods", area)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert "Only there to show that one file is enough" in done.stdout


@each_area
def test_toy_is_the_nearest_word_to_a_slip_and_its_parameters_are_checked_by_name(tree, area, name):
    code = f"""
from medunsup.core.errors import UsageError
from medunsup.core.registry import method
for name, values in (("{name}y", {{}}), ("{name}", {{"sharpnes": 1}})):
    try:
        method("{area}", name).Config.parse(values)
    except UsageError as error:
        print(error)
"""
    slip, parameter = run(tree, "-c", code).stdout.splitlines()
    assert f"Did you mean '{name}'?" in slip
    assert "did you mean 'sharpness'" in parameter


def test_toy_model_and_score_are_public_offered_for_one_another_and_find_a_blob(tree):
    code = """
import numpy as np
import medunsup
from medunsup.anomaly import ToyMean
from medunsup.anomaly.factory import scores_for
assert "toy_square" in scores_for(ToyMean())
healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 9, 9))
ill = healthy[:1].copy()
ill[0, 4, 5] += 1
found = medunsup.Detector(model="toy_mean", score="toy_square").fit(healthy).score_map(ill)
print(np.unravel_index(found.argmax(), found.shape)[1:] == (4, 5))
"""
    done = run(tree, "-c", code)
    assert done.stdout == "True\n", done.stderr


def test_toy_encoder_is_public_and_takes_and_gives_weights_like_any_other(tree):
    code = """
import torch
from medunsup.nn import AdaptationPlan, ToyEdges, load_weights, make_encoder
encoder = make_encoder("toy_edges", dims=2, channels=1)
plan = AdaptationPlan.of(encoder, patch=(8, 8))
print(isinstance(encoder, ToyEdges), encoder.features(torch.zeros(3, 1, 8, 8)).shape[1])
print(load_weights(plan.build(channels=2), encoder.state_dict(), plan))
"""
    done = run(tree, "-c", code)
    assert done.stdout.startswith("True 5\n2 weights loaded into ToyEdges"), done.stderr
    assert "repeated for 2" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "name", "at_least"),
    [
        ("anomaly/test_models_contract.py", "toy_mean", 12),
        ("anomaly/test_scores_contract.py", "toy_square", 30),
        ("features/test_methods_contract.py", "toy_brightest", 6),
        ("selfsupervised/test_methods_contract.py", "toy_mirror", 14),
        ("semisupervised/test_methods_contract.py", "toy_nearest", 12),
        ("nn/test_encoders_contract.py", "toy_edges", 26),
        ("clustering/test_methods_contract.py", "toy_halves", 12),
    ],
)
def test_toys_are_in_their_contract_tests_and_pass(tree, file, name, at_least):
    words = (f"tests/{file}", "-q", "-p", "no:cacheprovider", "-k", name)
    done = run(tree, "-m", "pytest", *words)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= at_least


def test_toy_is_in_the_contract_tests_and_runs_there(tree):
    words = ("tests/tissue/test_methods_contract.py", "-q", "-p", "no:cacheprovider")
    chosen = "toy and (sum_to_one or stay_inside or same_bytes or refused or shapes_and_types)"
    done = run(tree, "-m", "pytest", *words, "-k", chosen)
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


@pytest.mark.slow
def test_toy_can_be_chosen_on_the_command_line(tree, brain, tmp_path):
    from helpers.phantom import save

    scan, mask = save(brain.image(), tmp_path / "head_T1w.nii"), tmp_path / "mask.nii"
    save(brain.mask, mask, dtype="uint8")
    done = medunsup(
        tree, "segment", str(scan), "--mask", str(mask), "--method", "toy", "-o", str(tmp_path / "out")
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out").rglob("*_dseg.nii.gz"))
