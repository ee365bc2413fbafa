"""What a pretraining's page says: the verdict, what each figure is called and how it is read, its limits."""

from medunsup.report.base.text import Shown, VerdictWords

FEWEST_EPOCHS = 3  # that were judged before a run is called healthy

COLLAPSES = {
    "not_finite": "numbers that are not finite",
    "zero_features": "features of zeros",
    "repeated_augmentations": "repeated augmentations",
    "cold_temperature": "too low a temperature",
    "uniform_teacher": "a uniform teacher",
    "few_prototypes": "few prototypes",
    "dead_projector": "a dead projector",
    "unrelated_views": "unrelated views",
    "wrong_positives": "wrong positives",
    "loss_of_guessing": "the loss of guessing",
    "alike_features": "features alike",
    "constant": "constant embeddings",
    "few_dimensions": "few dimensions",
}

LIMITS = (
    "Whether the features help a task. A probe or a fine-tuning on labels says that (probe, finetune).",
    "A loss of one method beside that of another: they mean different things.",
    "What the encoder makes of scans from elsewhere. All that is shown comes from scans or images like those "
    "that were learned from.",
    "Groups in a map that are not there in the features: t-SNE draws groups even of noise. See whether the "
    "principal components and the neighbours agree.",
)
LABELS_SHOWN = (
    "The data hold labels. They are shown here and counted in the k-NN accuracy, and were looked at for "
    "nothing else: neither training nor the choice of an epoch depends on them."
)


def verdict(*, said: str, collapse: str, judged: int) -> tuple[Shown, VerdictWords]:
    """Put into words how a run ended: healthy, or the named collapse with the knob to turn.

    `said` is the run's own verdict, `collapse` the name of the collapse, empty if it is none; `judged` epochs
    came after the warm-up.
    """
    if collapse:
        name = COLLAPSES.get(collapse, collapse.replace("_", " "))
        return "fail", VerdictWords(f"Collapsed: {name}", "✕", said)
    if said:
        return "check", VerdictWords("Nothing learned that a guess does not give", "!", said)
    if judged < FEWEST_EPOCHS:
        epochs = f"{judged} epoch{'s' * (judged != 1)} after the warm-up"
        meaning = f"Only {epochs} could be judged. Train for longer before you trust the encoder."
        return "partial", VerdictWords("No collapse seen so far", "–", meaning)
    meaning = (
        f"None of the {judged} epochs after the warm-up shows a collapse. Whether the features help a task, "
        "labels must tell: run probe."
    )
    return "pass", VerdictWords("Healthy: no collapse seen", "✓", meaning)
