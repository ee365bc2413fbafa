"""medunsup: unsupervised learning for the medical scans nobody has labelled.

``import medunsup`` stays light: each public name is imported the first time it is used.
What is public, here and in the packages of the areas, is listed in docs/api.md.
"""

from typing import TYPE_CHECKING

from medunsup import errors
from medunsup.core.lazy import attach
from medunsup.core.moved import take_old_paths
from medunsup.core.version import __version__

if TYPE_CHECKING:
    from medunsup.anomaly.calibration import Calibration, calibrate
    from medunsup.anomaly.detector import Detector
    from medunsup.anomaly.evaluation import Evaluation
    from medunsup.anomaly.result import AnomalyResult
    from medunsup.cohort.batch import CohortResult
    from medunsup.cohort.clusters.patches import PatchClusters
    from medunsup.cohort.clusters.result import ClusterResult
    from medunsup.cohort.encoders.attended import AttentionResult
    from medunsup.cohort.encoders.encoder import Encoder
    from medunsup.cohort.encoders.folder import EncoderFolder
    from medunsup.cohort.encoders.probed import ProbeResult
    from medunsup.cohort.executors.choose import executor
    from medunsup.cohort.feature_table.read import read_features
    from medunsup.cohort.feature_table.table import FeatureTable
    from medunsup.cohort.feature_table.write import write_features
    from medunsup.cohort.finetuned.folder import FinetunedFolder
    from medunsup.cohort.maps.result import ReductionResult
    from medunsup.core.errors import MedunsupError
    from medunsup.core.record import Step
    from medunsup.core.registry import methods, register
    from medunsup.core.volume import Volume
    from medunsup.io.load import load
    from medunsup.preprocess.brain_extraction.brain_mask import brain_mask
    from medunsup.report.notebook.browser import show
    from medunsup.supervised.class_prediction import ClassPrediction, ImagePredictions
    from medunsup.supervised.prediction import Prediction
    from medunsup.workflows.attention.attention import attention
    from medunsup.workflows.cluster.cluster import cluster
    from medunsup.workflows.cluster_patches.patches import cluster_patches
    from medunsup.workflows.detect.cohort import detect_many
    from medunsup.workflows.detect.scan import detect
    from medunsup.workflows.embed.embed import embed
    from medunsup.workflows.evaluate.evaluate import evaluate
    from medunsup.workflows.export.bundle import ExportedBundle
    from medunsup.workflows.export.export import ExportedFolder, export
    from medunsup.workflows.finetune.finetune import finetune
    from medunsup.workflows.predict.cohort import predict_many
    from medunsup.workflows.predict.predict import predict
    from medunsup.workflows.pretrain.pretrain import pretrain
    from medunsup.workflows.probe.probe import probe
    from medunsup.workflows.reduce.reduce import reduce
    from medunsup.workflows.segment.cohort import segment_many
    from medunsup.workflows.segment.result import SegmentResult
    from medunsup.workflows.segment.scan import segment
    from medunsup.workflows.send.result import SendResult
    from medunsup.workflows.send.send import send
    from medunsup.workflows.status.status import FolderStatus, status
    from medunsup.workflows.train.compact_model import compact_model
    from medunsup.workflows.train.model_folder import ModelFolder, read_model
    from medunsup.workflows.train.train import train
    from medunsup.workflows.watch.result import WatchedSeries
    from medunsup.workflows.watch.watch import watch

take_old_paths()

_HOMES = {
    "AnomalyResult": "medunsup.anomaly.result",
    "AttentionResult": "medunsup.cohort.encoders.attended",
    "Calibration": "medunsup.anomaly.calibration",
    "ClassPrediction": "medunsup.supervised.class_prediction",
    "CohortResult": "medunsup.cohort.batch",
    "Detector": "medunsup.anomaly.detector",
    "Encoder": "medunsup.cohort.encoders.encoder",
    "EncoderFolder": "medunsup.cohort.encoders.folder",
    "Evaluation": "medunsup.anomaly.evaluation",
    "ExportedBundle": "medunsup.workflows.export.bundle",
    "ExportedFolder": "medunsup.workflows.export.export",
    "FeatureTable": "medunsup.cohort.feature_table.table",
    "FinetunedFolder": "medunsup.cohort.finetuned.folder",
    "FolderStatus": "medunsup.workflows.status.status",
    "ImagePredictions": "medunsup.supervised.class_prediction",
    "MedunsupError": "medunsup.core.errors",
    "ModelFolder": "medunsup.workflows.train.model_folder",
    "PatchClusters": "medunsup.cohort.clusters.patches",
    "Prediction": "medunsup.supervised.prediction",
    "ProbeResult": "medunsup.cohort.encoders.probed",
    "ClusterResult": "medunsup.cohort.clusters.result",
    "ReductionResult": "medunsup.cohort.maps.result",
    "SegmentResult": "medunsup.workflows.segment.result",
    "SendResult": "medunsup.workflows.send.result",
    "Step": "medunsup.core.record",
    "Volume": "medunsup.core.volume",
    "WatchedSeries": "medunsup.workflows.watch.result",
    "attention": "medunsup.workflows.attention.attention",
    "brain_mask": "medunsup.preprocess.brain_extraction.brain_mask",
    "calibrate": "medunsup.anomaly.calibration",
    "compact_model": "medunsup.workflows.train.compact_model",
    "detect": "medunsup.workflows.detect.scan",
    "detect_many": "medunsup.workflows.detect.cohort",
    "embed": "medunsup.workflows.embed.embed",
    "evaluate": "medunsup.workflows.evaluate.evaluate",
    "executor": "medunsup.cohort.executors.choose",
    "export": "medunsup.workflows.export.export",
    "finetune": "medunsup.workflows.finetune.finetune",
    "load": "medunsup.io.load",
    "methods": "medunsup.core.registry",
    "predict": "medunsup.workflows.predict.predict",
    "predict_many": "medunsup.workflows.predict.cohort",
    "pretrain": "medunsup.workflows.pretrain.pretrain",
    "probe": "medunsup.workflows.probe.probe",
    "read_features": "medunsup.cohort.feature_table.read",
    "read_model": "medunsup.workflows.train.model_folder",
    "cluster": "medunsup.workflows.cluster.cluster",
    "cluster_patches": "medunsup.workflows.cluster_patches.patches",
    "reduce": "medunsup.workflows.reduce.reduce",
    "register": "medunsup.core.registry",
    "segment": "medunsup.workflows.segment.scan",
    "segment_many": "medunsup.workflows.segment.cohort",
    "send": "medunsup.workflows.send.send",
    "show": "medunsup.report.notebook.browser",
    "status": "medunsup.workflows.status.status",
    "train": "medunsup.workflows.train.train",
    "watch": "medunsup.workflows.watch.watch",
    "write_features": "medunsup.cohort.feature_table.write",
}

__all__ = [
    "AnomalyResult",
    "AttentionResult",
    "Calibration",
    "ClassPrediction",
    "ClusterResult",
    "CohortResult",
    "Detector",
    "Encoder",
    "EncoderFolder",
    "Evaluation",
    "ExportedBundle",
    "ExportedFolder",
    "FeatureTable",
    "FinetunedFolder",
    "FolderStatus",
    "ImagePredictions",
    "MedunsupError",
    "ModelFolder",
    "PatchClusters",
    "Prediction",
    "ProbeResult",
    "ReductionResult",
    "SegmentResult",
    "SendResult",
    "Step",
    "Volume",
    "WatchedSeries",
    "__version__",
    "attention",
    "brain_mask",
    "calibrate",
    "cluster",
    "cluster_patches",
    "compact_model",
    "detect",
    "detect_many",
    "embed",
    "errors",
    "evaluate",
    "executor",
    "export",
    "finetune",
    "load",
    "methods",
    "predict",
    "predict_many",
    "pretrain",
    "probe",
    "read_features",
    "read_model",
    "reduce",
    "register",
    "segment",
    "segment_many",
    "send",
    "show",
    "status",
    "train",
    "watch",
    "write_features",
]

__getattr__, _ = attach(__name__, _HOMES)


def __dir__() -> list[str]:
    """List what there is to use, also before its first use."""
    return __all__
