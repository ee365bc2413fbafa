"""Which words of a table mean healthy: the columns that tell, the words known, those that the user names."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medunsup.core.errors import UsageError
from medunsup.core.hints import option

State = Literal["healthy", "patient", "unknown", "given"]  # given: named healthy by nobody but the user

HEALTHY = {
    *("healthy", "healthy control", "healthy controls", "healthy comparison", "healthy volunteer"),
    *("healthy volunteers", "healthy subject", "healthy subjects", "healthy participant", "healthy adult"),
    *("hc", "hcs", "hv", "control", "controls", "control group", "healthycontrol", "healthycontrols"),
    *("con", "ctrl", "ctrls", "ctl", "normal", "normals", "normal control", "normal controls", "nc", "cn"),
    *("cognitively normal", "cognitively unimpaired", "cognitively healthy", "cu"),
    *("td", "tdc", "typically developing", "typically developing control", "neurotypical"),
}
CERTAIN = {  # words that tell what a column holds, whatever it is called
    *(word for word in HEALTHY if word.startswith("healthy")),
    *("hc", "hcs", "control", "controls", "ctl", "ctrl", "ctrls", "patient", "patients"),
    *("cognitively normal", "typically developing", "neurotypical", "asd", "adhd", "mdd", "mci", "fcd"),
    *("scz", "schz", "schizophrenia", "autism", "depression", "epilepsy", "alzheimer", "parkinson"),
    "multiple sclerosis",
}
NOTHING = {"", "n a", "n a.", "na", "nan", "null", "unknown", "missing", "not available", "-", "?", "."}
TELLING = {  # words of a column's name
    *("group", "groups", "grp", "subgroup", "diagnosis", "diagnoses", "diagnostic", "diag", "dx"),
    *("patient", "patients", "case", "control", "controls", "casecontrol", "healthy", "hc", "ill", "illness"),
    *("disease", "disorder", "phenotype", "dxgroup", "gruppe", "grupo", "groupe", "gruppo", "diagnose"),
    *("diagnosen", "diagnostico", "diagnosi", "krankheit", "erkrankung", "enfermedad", "maladie", "malattia"),
    *("kontrolle", "gesund", "krank", "paciente", "sano", "sain", "malade"),
}
MAYBE_TELLING = {
    *("status", "condition", "conditions", "pathology", "cohort", "population", "category"),
    *("kohorte", "cohorte", "patologia", "pathologie", "estado", "statut"),
}
# Words of a column's name that tell only if it has no others: "participant_type".
KINDS_OF_PEOPLE = {"type", "class", *("participant", "participants", "subject", "subjects", "person")}
DISEASES = {  # "epilepsy: yes" tells, a score of depression does not
    *("epilepsy", "epileptic", "lesion", "lesions", "tumor", "tumour", "glioma", "stroke", "dementia", "mci"),
    *("alzheimer", "parkinson", "sclerosis", "schizophrenia", "psychosis", "autism", "asd", "adhd"),
    *("bipolar", "depression", "mdd", "migraine", "tbi", "fcd", "hippocampal"),
}
MOST_ANSWERS = 3  # of a column that is named after a disease: yes, no, perhaps
ARM = {"control", "controls", "control group", "con", "ctrl", "ctrls", "ctl"}  # of a trial, of ill people
TRIAL = {
    *("treatment", "treated", "intervention", "placebo", "experimental", "training", "sham", "drug"),
    *("active", "verum", "exercise"),
}
PATIENTS = {"patient", "patients"}
NOT_TELLING = {  # "age_group", "smoking_status", "patient_id", "blood_group", "diagnosis_date"
    *("age", "ages", "sex", "gender", "date", "year", "years", "month", "months", "day", "days", "onset"),
    *("duration", "time", "id", "ids", "number", "num", "score", "scale", "site", "scanner", "mri", "scan"),
    *("smoking", "smoker", "marital", "employment", "education", "socioeconomic", "economic", "ses"),
    *("vital", "vision", "hearing", "blood", "hand", "handedness", "medication", "treatment", "drug", "dose"),
    *("race", "ethnic", "ethnicity", "income", "weight", "order", "session", "run", "task", "qc", "quality"),
    *("consent", "completion", "comment", "comments", "notes"),
}
MOST_CODES = 12  # a column of more different numbers holds a measure
SHOWN = 8


@dataclass(frozen=True)
class HealthyWords:
    """The words of one column that mean healthy, as `--healthy group=hc,control` names them."""

    column: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "HealthyWords":
        """Read COLUMN=WORD[,WORD]. Raises UsageError for anything else."""
        column, _, words = text.partition("=")
        found = tuple(word.strip() for word in words.split(",") if word.strip())
        if not column.strip() or not found:
            raise UsageError(
                f"{option('healthy', text)}: name a column and the words in it that mean healthy, as in "
                f"{option('healthy', 'group=hc,control')} (n/a for an empty cell)."
            )
        return cls(column.strip(), found)


@dataclass(frozen=True)
class Meaning:
    """By which column, and which words in it, a table tells who is healthy."""

    column: str
    healthy: frozenset[str]

    def state(self, cell: str) -> State:
        """Say what a cell means: a word that is not known to mean healthy is a patient's."""
        if _same(cell) in self.healthy:
            return "healthy"
        return "unknown" if is_nothing(cell) else "patient"


def is_nothing(cell: str) -> bool:
    """Whether a cell says nothing: it is empty, "n/a" or the like."""
    return _plain(cell) in NOTHING


def _plain(word: str) -> str:
    """Bring a word to one form: "Healthy_Control" becomes "healthy control", "N/A" becomes "n a"."""
    return re.sub(r"[\s_]+|(?<=\w)[-/.](?=\w)", " ", word.strip().casefold())


def _same(cell: str) -> str:
    """Return what cells that say the same share: all that say nothing are one, and so are 1 and 1.0."""
    return "" if is_nothing(cell) else re.sub(r"^(\d+)\.0+$", r"\1", cell.strip().casefold())


def meanings(
    columns: Mapping[str, Sequence[str]],
    asked: HealthyWords | None,
    where: str,
    levels: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Meaning, ...]:
    """Find the columns that tell who is healthy, and the words in them that say so; none if no column tells.

    `columns` hold the cells of each column. `levels` are what the data set itself says its words mean
    (`Levels` in participants.json): without it a number is never taken for one or the other.

    Raises UsageError that names columns and words if there are some that tell but none is understood, or if
    what is `asked` for is not there.
    """
    if asked is not None:
        return (_asked(columns, asked, where),)
    meant = {name.casefold(): texts for name, texts in (levels or {}).items()}
    of = {name: meant.get(name.casefold(), {}) for name in columns}
    telling = {name: told for name, cells in columns.items() if (told := _tells(name, cells, of[name]))}
    found = [Meaning(name, _known(columns[name], of[name])) for name in telling]
    understood = tuple(each for each in found if each.healthy)
    surely = {name for name, told in telling.items() if told == "surely"}
    if telling and not (surely or telling.keys()) & {each.column for each in understood}:
        listed = _listed({name: columns[name] for name in telling if name in surely or not surely})
        raise UsageError(
            f"{where}: no word is known to mean healthy in {listed}. Say which do, as in "
            f"{option('healthy', f'{next(iter(surely or telling))}=WORD,WORD')}; the others are left out."
        )
    return understood


def meaning_of_group(columns: Mapping[str, Sequence[str]], asked: HealthyWords | None, where: str) -> Meaning:
    """Find what the column `group` of a table of scans says, or the one `asked` for.

    There a word that is not known to mean healthy is a patient's, in whatever language.

    Raises UsageError for numbers, which mean one thing here and another there, or if what is `asked` for is
    not there.
    """
    if asked is not None:
        return _asked(columns, asked, where)
    cells = columns.get("group", ())
    words = [cell for cell in cells if not is_nothing(cell)]
    if words and all(map(_is_number, words)):
        raise UsageError(
            f"{where}: {_listed({'group': cells})} holds numbers. Say which mean healthy with "
            f"{option('healthy', 'group=NUMBER')}, or write healthy and patient."
        )
    return Meaning("group", _known(cells, {}))


def _asked(columns: Mapping[str, Sequence[str]], asked: HealthyWords, where: str) -> Meaning:
    alike = [name for name in columns if name.casefold() == asked.column.casefold()]
    names = [name for name in alike if name == asked.column] or alike
    if not names:
        raise UsageError(
            f"{where}: has no column {asked.column!r} for {option('healthy')}, "
            f"only {', '.join(columns) or 'none'}."
        )
    cells = columns[names[0]]
    there = set(map(_same, cells))
    for word in asked.words:
        if _same(word) not in there:
            raise UsageError(
                f"{where}: no cell says {word!r}, which {option('healthy')} names, "
                f"in {_listed({names[0]: cells})}."
            )
    return Meaning(names[0], frozenset(map(_same, asked.words)))


def _tells(name: str, cells: Sequence[str], levels: Mapping[str, str]) -> Literal["", "maybe", "surely"]:
    """Whether a column tells patients from healthy people, by its name, its words, or what they mean."""
    words = {_plain(cell) for cell in cells} - NOTHING
    tokens = _tokens(name)
    if not words or tokens & NOT_TELLING:
        return ""
    is_measure = len(words) > MOST_CODES and all(map(_is_number, words))
    if CERTAIN & {*words, *map(_plain, levels.values())} or (tokens & TELLING and not is_measure):
        return "surely"
    names_disease = tokens & DISEASES and 1 < len(words) <= MOST_ANSWERS
    may_tell = tokens & MAYBE_TELLING or tokens <= KINDS_OF_PEOPLE
    return "maybe" if names_disease or (may_tell and not is_measure) else ""


def _tokens(name: str) -> set[str]:
    """Split a column's name into its words, in small letters and without accents."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return set(re.findall(r"[a-z]+", re.sub(r"[\u0300-\u036f]", "", plain).casefold()))


def _is_number(word: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[\d ]+", word))


def _known(cells: Sequence[str], levels: Mapping[str, str]) -> frozenset[str]:
    """Return the words of a column that are known to mean healthy, or that the data set says do.

    Where the others are the arms of a trial, a control is no healthy person; nor is one whom the data set
    calls a patient.
    """
    means = {_same(word): text for word, text in levels.items()}
    says = {_same(cell): (_same(cell), means.get(_same(cell), "")) for cell in cells if not is_nothing(cell)}
    known = HEALTHY - ARM if any(_is_arm(text) for texts in says.values() for text in texts) else HEALTHY
    return frozenset(
        word
        for word, texts in says.items()
        if any(_is_of(known, text) for text in texts) and not PATIENTS & _tokens(" ".join(texts))
    )


def _is_of(known: Collection[str], text: str) -> bool:
    """Whether a text is one of the known words, or one with another in brackets: "Healthy controls (HC)"."""
    parts = [part for part in re.split(r"[()\[\]]", text) if part.strip()]
    return bool(parts) and all(_plain(part) in known for part in parts)


def _is_arm(text: str) -> bool:
    return _plain(text).removesuffix(" group") in TRIAL


def _listed(columns: Mapping[str, Sequence[str]]) -> str:
    """Name columns, with their words and how often each stands there: "group (fcd 85, 'n/a' 2)"."""
    texts = []
    for name, cells in columns.items():
        counts = Counter(cell.strip() or "n/a" for cell in cells).most_common()
        words = ", ".join(f"{word} {count}" for word, count in counts[:SHOWN])
        more = f" and {len(counts) - SHOWN} more words" if len(counts) > SHOWN else ""
        texts.append(f"{name} ({words}{more})")
    return "the column " + " or ".join(texts)
