"""The page of a pretraining, made of what was learned and of the items it was measured by."""

import logging

from medunsup.cohort.encoders.folder import PAGE
from medunsup.cohort.encoders.manifest import EncoderManifest
from medunsup.core.errors import MedunsupError
from medunsup.core.progress import Stage, Told
from medunsup.report.pretrain.page import PretrainPage, pretrain_page
from medunsup.workflows.pretrain.data import Ready
from medunsup.workflows.pretrain.learn import Learned
from medunsup.workflows.pretrain.shown import shown
from medunsup.workflows.pretrain.summary import kept_words, titled

log = logging.getLogger(__name__)


def drawn_page(about: EncoderManifest, ready: Ready, learned: Learned, told: Told) -> str | None:
    """Return the page as HTML; None after a defect, which is logged: it shall not cost the encoder."""
    told(Stage("drawing the page", 1.0))
    try:
        return pretrain_page(_page(about, ready, learned))
    except (MedunsupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - drawing may fail in ways nobody can list
        log.error("%s could not be made (%s: %s); the encoder is whole.", PAGE, type(error).__name__, error)
        return None


def _page(about: EncoderManifest, ready: Ready, learned: Learned) -> PretrainPage:
    from medunsup.selfsupervised.sample import measured_sample

    learner = learned.fitted.learner_
    sample = measured_sample(learned.fitted, ready.scans["train"], ready.scans.get("validation"))
    collapse = learner.collapse(learned.curve)
    chosen = kept_words(about) if learned.kept != learned.epochs else ""
    return PretrainPage(
        title=titled(about),
        about=about,
        curve=learned.curve,
        loss=learner.objectives()[0].name,
        guessing=learner.guessing,
        collapse="" if collapse is None else collapse.name,
        judged=max(0, learned.epochs - learner.warm_epochs),
        kept=learned.kept,
        sample=shown(sample, ready),
        remarks=[text for text in (chosen, ready.labels.passed_over) if text],
        names_changes=learner.kind == "classification",
    )
