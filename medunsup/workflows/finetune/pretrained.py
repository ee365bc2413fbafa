"""The encoder that is fine-tuned: from an encoder folder, or from weights that were trained elsewhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medunsup.cohort.encoders.folder import WEIGHTS, read_encoder
from medunsup.cohort.encoders.overlap import Known
from medunsup.cohort.labelled.alike import MOST_RATIO, Before, before_of, sizes_differ
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.io.files.artifact_folder import Arrays
from medunsup.io.files.hashes import hash_file
from medunsup.workflows.finetune.request import FinetuneRequest

if TYPE_CHECKING:
    from medunsup.nn.adaptation_plan import AdaptationPlan
    from medunsup.nn.encoder import Encoder

SPACING_MM = 2.0
NOTHING = Known((), None)
UNKNOWN = "Which scans these weights have seen is not known: make sure that none is of a test subject."

DECODER_TOO = (
    "The decoder was pretrained as well: fine-tuned and frozen start with it, from scratch does not."
)


@dataclass(frozen=True, eq=False)
class Pretrained:
    """An encoder with its weights: what is known of them, which scans they have seen, what is to be told."""

    network: "Encoder"
    plan: "AdaptationPlan"
    sha256: str
    method: str
    before: Before
    remarks: tuple[str, ...] = ()
    decoder: Arrays | None = None

    @property
    def known(self) -> Known:
        """Scans or images that it has seen."""
        return self.before.known

    @property
    def contrast(self) -> str | None:
        """Contrast of the scans that it was pretrained on, if it is known."""
        about = self.before.preprocessing
        return None if about is None else about.contrast

    @property
    def is_standardised(self) -> bool:
        """Whether intensities are to have mean 0 and standard deviation 1 in the brain."""
        return "z-score" in self.plan.intensity

    def spacing_mm(self, asked: float | None) -> float:
        """Return the spacing of the grid to fine-tune on. Raises UsageError if it is another world's."""
        theirs = self.plan.spacing_mm
        spacing = asked or (max(theirs) if theirs else SPACING_MM)
        odd = [one for one in theirs or () if sizes_differ(spacing, one)]
        if odd:
            raise UsageError(
                f"The encoder was pretrained on voxels of {odd[0]:g} mm; {spacing:g} mm is more than "
                f"{MOST_RATIO:g} times as coarse or fine, which costs more than pretraining gains. "
                f"Fine-tune at {odd[0]:g} mm, or pretrain at {spacing:g} mm."
            )
        return spacing


def read_pretrained(request: FinetuneRequest) -> Pretrained:
    """Read the encoder that is asked for.

    Raises MissingError or InputError for what cannot be read, UsageError if weights and plan do not fit, or
    if it takes other channels than a scan has.
    """
    found = _folder(request) if request.encoder is not None else _foreign(request)
    if found.plan.channels != 1 and not request.source.is_of_images:
        raise UsageError(
            f"The encoder takes images of {found.plan.channels} channels, a scan has 1. Pretrain on scans, "
            "or on images of 1 channel."
        )
    return found


def _folder(request: FinetuneRequest) -> Pretrained:
    assert request.encoder is not None
    folder = read_encoder(request.encoder)
    about, remarks = folder.manifest, list[str]()
    if about.preprocessing.kind == "images" and not request.source.is_of_images:
        remarks.append("The encoder was pretrained on images of no known voxel size, not on scans.")
    has_decoder = request.settings.task == "segment" and request.settings.few_labels is None
    if folder.decoder is not None and has_decoder:
        remarks.append(DECODER_TOO)
    if about.verdict:
        remarks.append(f"The pretraining ended in this state: {about.verdict}")
    return Pretrained(
        folder.network,
        folder.plan,
        about.sha256[WEIGHTS],
        about.method,
        before_of(folder),
        remarks=tuple(remarks),
        decoder=folder.decoder if has_decoder else None,
    )


def _foreign(request: FinetuneRequest) -> Pretrained:
    from medunsup.nn.weights import load_weights
    from medunsup.nn.weights_file import read_checkpoint, read_plan, read_plan_file

    assert request.weights is not None
    weights, inside = read_checkpoint(request.weights)
    if request.plan is None and inside is None:
        raise UsageError(
            f"{request.weights}: does not say of which network its weights are. Give the "
            f"adaptation_plan.json that came with them: {option('plan')}."
        )
    plan = read_plan_file(request.plan) if request.plan else read_plan(inside, request.weights)
    network = plan.build()
    loaded = load_weights(network, weights, plan)
    name = f"weights from {request.weights.name}"
    return Pretrained(
        network.eval(),
        plan,
        hash_file(request.weights),
        name,
        Before(str(request.weights), plan.channels, NOTHING),
        remarks=(str(loaded), UNKNOWN),
    )
