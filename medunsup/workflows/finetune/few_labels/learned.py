"""A method for few labels in the place of the networks that are fine-tuned: choose, train, ask, keep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Told
from medunsup.core.registry import method, methods
from medunsup.workflows.finetune.few_labels.given import split_to_choose
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.finetune.shares import Share

if TYPE_CHECKING:
    from medunsup.semisupervised.base import Choice
    from medunsup.training.loop import Training
    from medunsup.training.scan_stack import Scans

Drawn = list[tuple[Share, list[Any]]]

METHOD, ALONE = "semisupervised", "supervised"
TOO_FEW = (
    "Too few labelled subjects to choose by (two of each class are needed): {name} is kept, and whether it "
    "is better than the labels alone could not be judged on others than the test subjects."
)


@dataclass(frozen=True)
class Config:
    """What a method is made with: its own parameters, checked, and the seed."""

    own: Any
    seed: int
    steps: int

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        """Return the parameters as plain values."""
        return dict(self.own.model_dump(mode=mode))


def check_method(settings: FinetuneSettings) -> Config:
    """Return the parameters of the method. Raises UsageError for another task's, or wrong parameters."""
    kind, task = _kind(settings), settings.task
    if task not in getattr(kind, "tasks", ("classify",)):
        fitting = [card.name for card in methods("semisupervised") if _is_for(card.name, task)]
        raise UsageError(
            f"{option('few_labels', settings.few_labels)} does not {task}. Methods that do: "
            f"{', '.join(fitting)}."
        )
    fields = kind.Config.model_fields
    own = {"seed": settings.seed} if "seed" in fields else {}
    config = kind.Config.parse({**own, **settings.parameters}, str(settings.few_labels))
    return Config(config, getattr(config, "seed", settings.seed), getattr(config, "steps", 0))


def _kind(settings: FinetuneSettings) -> Any:
    return method("semisupervised", str(settings.few_labels))


def _is_for(name: str, task: str) -> bool:
    return task in getattr(method("semisupervised", name), "tasks", ("classify",))


class Learned:
    """A method and the labels alone, with what the networks of `finetune` are asked for."""

    arms = (METHOD, ALONE)

    def __init__(
        self, settings: FinetuneSettings, pretrained: Pretrained, classes: int, config: Config | None = None
    ) -> None:
        self.settings, self.pretrained, self.classes = settings, pretrained, classes
        self.config = config or check_method(settings)

    def with_steps(self, scans: "Scans") -> Self:
        """Return this: a method finds the epochs for its steps itself."""
        return self

    def with_seed(self, seed: int) -> "Learned":
        """Return this with another seed."""
        own = self.config.own
        own = own.model_copy(update={"seed": seed}) if "seed" in type(own).model_fields else own
        return Learned(self.settings, self.pretrained, self.classes, Config(own, seed, self.config.steps))

    def fit(self, scans: "Scans", *, training: "Training") -> Self:
        """Learn from labelled and unlabelled scans, and choose between both networks."""
        parts = split_to_choose(scans, self.config.seed)
        self.made = self._made().fit(parts.learned, validation=parts.validation, training=training)
        assert parts.learned.labels is not None
        known = int((parts.learned.labels >= 0).sum())
        self.counts = {
            "labelled": known,
            "unlabelled": len(parts.learned) - known,
            "validation": 0 if parts.validation is None else len(parts.validation),
        }
        return self

    def probabilities(self, arm: Any, *given: Any) -> Any:
        """Return probabilities of the classes, from one network."""
        return self.made.probabilities(*given, arm=arm)

    @property
    def choice(self) -> "Choice":
        """Which network is kept, and why."""
        return self.made.choice_

    @property
    def kept(self) -> str:
        """Network that is kept."""
        return self.choice.kept

    def facts(self) -> dict[str, Any]:
        """Say in plain values what was chosen, and by how much."""
        name = str(self.settings.few_labels)
        judged = bool(self.choice.figures)
        return {
            **self.counts,
            "kept": self.kept,
            "why": self.choice.sentence if judged else TOO_FEW.format(name=name),
            "on_validation": {arm: round(value, 5) for arm, value in self.choice.figures.items()},
            **self._reached(),
        }

    def verdict(self) -> str:
        """Say what goes wrong with the pseudo-labels, if anything."""
        trained = getattr(self.made, "trained_", None)
        return "" if trained is None else str(trained.verdict or "")

    def state(self) -> Mapping[str, Any]:
        """Return the weights of the network that is kept, by name."""
        weights = self.made.learner_.network(self.kept).state_dict()
        return {name: value.detach().cpu().contiguous().numpy() for name, value in weights.items()}

    def plain_parameters(self) -> dict[str, Any]:
        """Return what a network of the task is built with, to read it again."""
        from medunsup.workflows.finetune.learn import kind_of

        fields = kind_of(self.settings).Config.model_fields
        given = {**self.config.model_dump(mode="json"), "dims": self.pretrained.plan.dims}
        return {name: value for name, value in given.items() if name in fields}

    def _reached(self) -> dict[str, float]:
        found = {"coverage": "coverage_", "pseudo_accuracy": "pseudo_accuracy_"}
        values = {name: getattr(self.made, held, None) for name, held in found.items()}
        return {name: round(value, 5) for name, value in values.items() if value is not None}

    def _made(self) -> Any:
        kind, network = _kind(self.settings), self.pretrained.network
        if hasattr(kind, "tasks"):
            return kind(self.config.own, network, classes=self.classes, task=self.settings.task)
        from medunsup.semisupervised.on_encoder import OnEncoder

        return OnEncoder(kind(self.config.own), network, classes=self.classes)


def with_choice(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test that says as well which network was chosen."""

    def asked(made: Learned, told: Told, *, kept: bool) -> dict[str, Any]:
        return {"said": test(made, told, kept=kept), "chosen": made.facts()}

    return asked


def without_choice(found: Drawn) -> Drawn:
    """Return what the test itself said of each draw."""
    return [(share, [one["said"] for one in each]) for share, each in found]


def facts_of(made: Learned, found: Drawn) -> dict[str, Any]:
    """Say for finetune.json how few labels were learned with, and what was chosen in each draw."""
    kept = [
        {"subjects": share.n_subjects, "kept": [one["chosen"]["kept"] for one in each]}
        for share, each in found
    ]
    config = made.config.model_dump(mode="json")
    own = {"method": made.settings.few_labels, "parameters": config}
    return {**own, **found[0][1][0]["chosen"], "by_share": kept}
