"""Words of tables mean healthy only where they are known to, or the user or the data set says so."""

import pytest

from medunsup.cohort.dataset.health import HealthyWords, Meaning, meaning_of_group, meanings
from medunsup.core.errors import UsageError

WHERE = "participants.tsv"


def states(columns: dict[str, list[str]], asked: str | None = None, **more: object) -> list[str]:
    words = None if asked is None else HealthyWords.parse(asked)
    (told,) = meanings(columns, words, WHERE, **more)
    return [told.state(cell) for cell in columns[told.column]]


@pytest.mark.parametrize(
    "word",
    [
        "control",
        "Controls",
        "HC",
        "hc",
        "CON",
        "Ctrl",
        "CN",
        "NC",
        "TD",
        "HV",
        "normal",
        "Healthy",
        "healthy control",
        "Healthy_Control",
        "healthy-controls",
        " CONTROL ",
    ],
)
@pytest.mark.parametrize(
    "column", ["group", "Group", "diagnosis", "DX", "dx_group", "clinicalGroup", "status"]
)
def test_the_fields_words_for_healthy_are_known_in_any_case_and_the_others_are_patients(column, word):
    assert states({column: [word, "FCD", "n/a", ""]}) == ["healthy", "patient", "unknown", "unknown"]


@pytest.mark.parametrize(
    "word", ["HC+", "not healthy", "control of a patient", "pathologic control", "1", "0"]
)
def test_a_word_that_only_holds_such_a_word_is_not_one(word):
    assert states({"group": ["hc", word]}) == ["healthy", "patient"]


@pytest.mark.parametrize(
    "columns",
    [
        {"group": ["ms", "fcd"]},
        {"DX_GROUP": ["1", "2"]},
        {"diagnosis": ["MDD", "n/a"]},
        {"patient": ["0", "1"]},
        {"case_control": ["0", "1"]},
        {"sex": ["f", "m"], "Condition": ["x", "y"]},
    ],
)
def test_a_column_that_tells_but_is_not_understood_is_refused_with_its_words(columns):
    with pytest.raises(UsageError) as refused:
        meanings(columns, None, WHERE)
    name = list(columns)[-1]
    assert f"{name} (" in str(refused.value)
    assert f'healthy="{name}=WORD' in str(refused.value)
    assert all(f"{word} 1" in str(refused.value) for word in columns[name])


@pytest.mark.parametrize(
    "columns",
    [
        {"age": ["30"], "sex": ["f"]},
        {"age_group": ["young", "old"]},
        {"smoking_status": ["never", "no"]},
        {"patient_id": ["a", "b"]},
        {"group": ["n/a", ""]},
        {"vision": ["normal", "corrected"]},
        {"disease_index": [str(n) for n in range(30)]},
    ],
)
def test_a_column_of_something_else_tells_nothing(columns):
    assert meanings(columns, None, WHERE) == ()


def test_words_that_only_patients_and_healthy_people_have_tell_whatever_the_column_is_called():
    assert states({"arm": ["Patient", "Healthy Control"]}) == ["patient", "healthy"]


def test_a_column_that_may_mean_something_else_does_not_outweigh_one_that_is_not_understood():
    columns = {"condition": ["normal", "occluded"], "group": ["1", "2"]}
    with pytest.raises(UsageError, match=r"group \(1 1, 2 1\)\. "):
        meanings(columns, None, WHERE)
    assert states({"condition": ["normal", "MS"]}) == ["healthy", "patient"]


def test_numbers_mean_what_the_data_set_itself_says_they_do():
    levels = {"DX_GROUP": {"1": "Autism", "2": "Control"}}
    assert states({"DX_GROUP": ["1", "2", "n/a"]}, levels=levels) == ["patient", "healthy", "unknown"]


def test_the_user_names_column_and_words_and_what_is_not_named_is_a_patient():
    columns = {"group": ["control", "sibling", "n/a"], "dx": ["A-", "A+", ""]}
    assert states(columns, "group=sibling") == ["patient", "healthy", "unknown"]
    assert states(columns, "Group = SIBLING , control") == ["healthy", "healthy", "unknown"]
    assert states(columns, "dx=A-") == ["healthy", "patient", "unknown"]
    assert states(columns, "group=n/a,control") == ["healthy", "patient", "healthy"]
    assert states({"DX": ["1", "-1", "2"]}, "DX=1") == ["healthy", "patient", "patient"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("group", "name a column and the words"),
        ("=hc", "name a column and the words"),
        ("group=,", "name a column and the words"),
        ("dx=hc", "has no column 'dx' for `healthy`, only group"),
        (
            "group=controls",
            r"no cell says 'controls', which `healthy` names, in the column group \(hc 2, ms 1\)",
        ),
    ],
)
def test_what_the_user_names_must_be_there(asked, words):
    with pytest.raises(UsageError, match=words):
        states({"group": ["hc", "hc", "ms"]}, asked)


def test_in_a_table_of_scans_any_word_but_healthy_ones_is_a_patients_and_numbers_are_refused():
    told = meaning_of_group({"group": ["Läsion", "hc", ""]}, None, "cases.tsv")
    assert [told.state(cell) for cell in ("Läsion", "hc", "")] == ["patient", "healthy", "unknown"]
    assert meaning_of_group({"scan": ["a"]}, None, "cases.tsv") == Meaning("group", frozenset())
    with pytest.raises(UsageError, match=r"group \(0 1, 1 1\) holds numbers.*healthy="):
        meaning_of_group({"group": ["0", "1"]}, None, "cases.tsv")


@pytest.mark.parametrize(
    "columns",
    [
        {"Gruppe": ["gesund", "krank"]},
        {"grupo": ["sano", "enfermo"]},
        {"diagnóstico": ["no", "sí"]},
        {"participant_type": ["1", "2"]},
        {"epilepsy": ["no", "yes"]},
        {"has_lesion": ["0", "1"]},
    ],
)
def test_a_column_that_tells_in_another_language_or_by_a_disease_is_refused_with_its_words(columns):
    with pytest.raises(UsageError, match=f"{next(iter(columns))} .*healthy="):
        meanings(columns, None, WHERE)


@pytest.mark.parametrize(
    "columns",
    [
        {"depression": [str(n % 9) for n in range(30)]},
        {"epilepsy": ["no", "no"]},
        {"school_type": ["a", "b"]},
    ],
)
def test_a_score_or_what_is_the_same_of_all_parts_nobody(columns):
    assert meanings(columns, None, WHERE) == ()


def test_the_arms_of_a_trial_are_no_healthy_people():
    with pytest.raises(UsageError, match="control 2, treatment 2"):
        meanings({"group": ["control", "control", "treatment", "treatment"]}, None, WHERE)
    assert states({"group": ["healthy control", "control", "placebo"]}) == ["healthy", "patient", "patient"]
    assert states({"group": ["control", "treatment-resistant", "drug-naive"]}) == [
        "healthy",
        "patient",
        "patient",
    ]


def test_a_control_that_the_data_set_calls_a_patient_is_one():
    levels = {"group": {"control": "patients who wait", "hc": "healthy control"}}
    assert states({"group": ["hc", "control"]}, levels=levels) == ["healthy", "patient"]


@pytest.mark.parametrize("code", ["0", "0.0"])
def test_codes_may_be_explained_for_any_column_and_be_written_as_a_spreadsheet_does(code):
    levels = {"Kohorte": {"0": "Healthy controls (HC)", "1": "FCD"}}
    assert states({"kohorte": [code, "1"]}, levels=levels) == ["healthy", "patient"]
