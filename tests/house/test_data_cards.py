"""A data set without its card, or a card without its warnings, does not get in."""

from pathlib import Path

import pytest
import yaml

CARDS = sorted(
    path for path in (Path(__file__).parents[2] / "data_cards").glob("*.md") if path.stem != "README"
)
FIELDS = {"name", "folder", "scans", "contrasts", "sequence", "ages", "origin", "licence"}
OPTIONAL = {"known_as", "grids"}  # by which `detect` tells that a scan may come from the data set
SECTIONS = ("Truth", "What it is used for here", "What it must not be used for", "Credit")


def parts(path: Path) -> tuple[dict, str]:
    _, fields, text = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(fields), text


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_card_has_every_field_and_section(path):
    fields, text = parts(path)
    assert set(fields) >= FIELDS
    assert set(fields) <= FIELDS | OPTIONAL
    assert all(str(value).strip() for value in fields.values())
    assert set(fields["contrasts"]) <= {"T1w", "T2w", "FLAIR", "PD"}
    for section in SECTIONS:
        _, _, rest = text.partition(f"## {section}\n\n")
        assert len(rest.split("\n## ")[0].strip()) > 4, section


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_card_forbids_something(path):
    _, text = parts(path)
    forbidden = text.split("## What it must not be used for\n\n")[1].split("\n\n")[0]
    assert all(line.startswith("- ") for line in forbidden.splitlines())


@pytest.mark.data
def test_every_data_set_a_card_names_is_where_it_says(data_dir):
    for path in CARDS:
        fields, _ = parts(path)
        for folder in fields["folder"].split(", "):
            assert (data_dir / folder).is_dir() or fields["folder"].startswith("none"), path.name


def test_no_image_is_kept_beside_the_cards(repository):
    assert {path.suffix for path in (repository / "data_cards").iterdir()} == {".md"}
