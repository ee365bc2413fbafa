"""The methods paragraph: written from the record of what was done, so it can never say more."""

from collections.abc import Callable

from medunsup.core.record import Step
from medunsup.core.registry import methods
from medunsup.core.version import __version__
from medunsup.report.base.methods_text import REGISTRATION, MethodsText, say_input
from medunsup.tissue.result import TissueResult


def methods_text(result: TissueResult) -> MethodsText:
    """Write the paragraph for one result from its record and its method's card."""
    text = MethodsText()
    text.say(f"The scan was segmented with medunsup {__version__}, without training data")
    say_input(text, result.image)
    for step in result.record.steps:
        if step.name in _SENTENCES and step.outcome in ("done", "degraded"):
            _SENTENCES[step.name](text, step)
    _say_priors(text, result)
    _say_method(text, result)
    text.say(
        "Tissue volumes are partial volume fractions summed over the brain mask; shares are of the mask's "
        "volume, which is the intracranial volume only if the mask reaches the bone all round. Uncertainty "
        "is the entropy of the tissue probabilities, scaled to 0–1"
    )
    return text


def _say_mask(text: MethodsText, step: Step) -> None:
    if step.findings.get("white_matter_bias_evened_out"):
        text.say(
            "A strong bias field was first taken out: a polynomial of second degree in log intensity, read "
            "off white matter where the template is sure of it",
            "bias model",
        )
    if step.parameters.get("given"):
        text.say("The brain mask was given")
    elif step.findings.get("already_stripped"):
        text.say("The scan came without a skull, so its own region served as the brain mask")
    elif step.findings.get("registration") == "moments":
        text.say("The brain was outlined from the surface of the head, since the template did not fit")
    elif step.findings.get("method", step.parameters.get("method")) == "deepbet":
        text.say("The brain mask was found by deepbet and grown through fluid up to the bone", "deepbet")
    elif step.outcome == "degraded":
        text.say(
            "The brain mask is that of the MNI152 template, registered to the scan", "mni", *REGISTRATION
        )
    else:
        text.say(
            "The brain mask was found by registering that of the MNI152 template to the scan and moving it "
            "onto the brain's surface",
            "mni",
            *REGISTRATION,
        )


def _say_normalise(text: MethodsText, step: Step) -> None:
    text.say("Intensities were winsorised and scaled robustly inside the mask")
    if step.findings.get("bias_evened_out"):
        text.say("Their bias, strong in this scan, was then evened out with N4 on a coarse grid", "n4")


def _say_contrasts(text: MethodsText, step: Step) -> None:
    given = step.parameters.get("given") or []
    text.say(f"Further contrasts were used together with it: {', '.join(map(str, given))}")
    moved = [name for name in given if step.findings.get(f"{name} place", {}).get("registered")]
    if moved:
        text.say(
            f"Registered to it rigidly, by mutual information within the brain: {', '.join(map(str, moved))}",
            "rigid",
        )


_SENTENCES: dict[str, Callable[[MethodsText, Step], None]] = {
    "brain mask": _say_mask,
    "contrasts": _say_contrasts,
    "normalise": _say_normalise,
}


def _priors_step(result: TissueResult) -> Step | None:
    return next((step for step in result.record.steps if step.name == "priors"), None)


def _uses_priors(result: TissueResult) -> bool | None:
    """Whether the method was to use priors; None if it knows none."""
    told = (step.parameters.get("use_priors") for step in result.record.steps)
    return next((choice for choice in told if choice is not None), None)


def _say_priors(text: MethodsText, result: TissueResult) -> None:
    """Claim priors only where they were made and the method says that it used them."""
    made = _priors_step(result)
    if made is not None and made.outcome == "done" and _uses_priors(result):
        text.say(
            "The tissue maps of the MNI152 template, as shipped with nilearn, were registered to the scan by "
            "an affine transform and served as spatial priors",
            "mni",
            "nilearn",
            *REGISTRATION,
        )
        if "learned" in made.parameters:
            text.say("They were averaged with the first segmentations of the other scans of the same run")


def _say_method(text: MethodsText, result: TissueResult) -> None:
    card = next((card for card in methods("tissue") if card.name == result.fit.method), None)
    classes = len(result.tissues)
    selection = result.fit.model_selection
    if selection is not None:
        how = f"was proposed from the intensities ({selection['rule']})"
        text.say(f"The number of classes, {classes}, {how}", "bic")
    if card is None:
        text.say(f"{classes} classes were fitted by the method “{result.fit.method}”")
        return
    summary = card.summary.rstrip(".")
    text.say(
        f"{classes} classes were fitted by the method “{card.name}” ({summary}){_without_priors(result)}",
        card.paper,
    )
    text.say(f"Its known limit: {card.limit.rstrip('.')}")


def _without_priors(result: TissueResult) -> str:
    """Take back what a method's summary says of priors where it had none."""
    made, uses = _priors_step(result), _uses_priors(result)
    if uses is None or made is None or (uses and made.outcome == "done"):
        return ""
    if not uses:
        return ", here without its priors, as was asked"
    why = (
        "the template did not fit" if made.outcome == "degraded" else "they are known for GM, WM and CSF only"
    )
    return f", here without its priors, since {why}"
