"""The methods paragraph of a pretraining, written from its card."""

from medunsup.cohort.encoders.manifest import EncoderManifest
from medunsup.core.registry import methods
from medunsup.core.version import __version__
from medunsup.report.base.methods_text import MethodsText

TIMES = "×"


def methods_text(about: EncoderManifest, kept: int) -> MethodsText:
    """Write the paragraph: network, method, items, preparation, optimisation, which weights are kept."""
    text, network = MethodsText(), about.network
    paper = next((card.paper for card in methods("selfsupervised") if card.name == about.method), "")
    text.say(
        f"An encoder ({network.name} in {network.dims}D, {network.n_features} features) was pretrained by "
        f"{about.method} without labels, with medunsup {__version__}",
        *([paper] if paper else []),
    )
    _say_items(text, about)
    chosen = about.parameters
    patch = chosen.get("patch")
    text.say(
        f"It was trained for {about.epochs} epochs, with {chosen.get('batch_size')} "
        f"{'patches' if patch else 'items'} in a step, by AdamW with a largest step size of "
        f"{chosen.get('learning_rate'):g}, weight decay {chosen.get('weight_decay'):g}, a warm-up over "
        f"{100 * chosen['warmup']:g} % of the steps and a cosine, from seed {chosen.get('seed')}"
    )
    text.say(f"The weights after epoch {kept} are kept")
    return text


def _say_items(text: MethodsText, about: EncoderManifest) -> None:
    made, count = about.preprocessing, about.scans
    n, held = count.get("train", 0), count.get("validation", 0)
    validated = f"; {held} more were only measured on" if held else ""
    channels, *sides = made.shape
    if made.kind == "images":
        what, sides = ("images", sides[:2]) if sides[2] == 1 else ("volumes", sides)
        size = f" {TIMES} ".join(str(side) for side in sides)
        colours = f" with {channels} channels" if channels > 1 else ""
        text.say(f"It learned from {n} {what} of {size}{colours}, intensities {made.intensity}{validated}")
        return
    size = f" {TIMES} ".join(str(side) for side in sides)
    text.say(
        f"It learned from {n} {made.contrast} scans, resampled to a template grid of {made.spacing_mm:g} mm "
        f"({size} voxels){validated}",
        "mni",
    )
    text.say(f"Intensities: {made.intensity}")
