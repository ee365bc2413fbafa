"""Pages made from the code: every command, every method's card, every public name."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import typer

from medunsup import methods
from medunsup.core.field_docs import field_docs
from medunsup.core.registry import AREAS, KIND, MethodCard, method

ROOT = Path(__file__).parents[2]
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def write_pages(folder: Path) -> None:
    """Write all pages into `folder`; one that would stay as it is keeps its time, so that Sphinx skips it."""
    pages = {**command_pages(), **method_pages(), **name_pages(), **data_cards()}
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def command_pages() -> dict[str, str]:
    """One page of all commands, and one a command."""
    from medunsup.cli.main import app

    group = typer.main.get_command(app)
    context = typer.Context(group, info_name="medunsup")
    found = dict(_commands(group, context, "medunsup"))
    rows = [f"* - :doc:`{name} <{_slug(name)}>`\n     - {about}" for name, (about, _) in found.items()]
    index = _title("Commands") + "Each is told by ``--help`` as well.\n\n" + _table(["command", "what"], rows)
    pages = {"cli/index.rst": index + _toctree([_slug(name) for name in found])}
    return pages | {f"cli/{_slug(name)}.rst": page for name, (_, page) in found.items()}


def _commands(group, context, name: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for word, command in group.commands.items():
        inner = typer.Context(command, info_name=word, parent=context)
        full = f"{name} {word}"
        if hasattr(command, "commands"):
            yield from _commands(command, inner, full)
        else:
            yield full, (_plain(command.get_short_help_str(200)), _command_page(full, command, inner))


def _command_page(name: str, command, context) -> str:
    usage = command.get_usage(context).replace("Usage: ", "")
    page = _title(name) + f"{_plain(command.help or '')}\n\n::\n\n    {usage}\n\n"
    rows = []
    for one in command.params:
        names, about = one.get_help_record(context) or ("", "")
        rows += [f"* - ``{names}``\n     - {_plain(about)}"] if names else []
    return page + _table(["argument or option", "what"], rows)


def method_pages() -> dict[str, str]:
    """One page of all methods by area, and each method's card."""
    cards = [card for card in methods() if card.distribution == "medunsup"]
    index = _title("Methods") + "What ``medunsup methods`` lists, from the registry.\n\n"
    pages = {}
    for area in AREAS:
        of_area = [card for card in cards if card.area == area]
        rows = [
            f"* - :doc:`{card.name} <{area}-{card.name}>`\n     - {_plain(card.summary)}" for card in of_area
        ]
        page = AREAS[area].page.removeprefix("docs/").removesuffix(".md")
        heading = KIND[area].removeprefix("a ").removeprefix("an ")
        index += f"{heading.capitalize()}: {area}\n{'-' * 60}\n\nExplained in :doc:`/{page}`.\n\n"
        index += _table(["name", "what"], rows)
        pages |= {f"methods/{area}-{card.name}.rst": _card_page(card) for card in of_area}
    names = [f"{card.area}-{card.name}" for card in cards]
    return pages | {"methods/index.rst": index + _toctree(names)}


def _card_page(card: MethodCard) -> str:
    public = AREAS[card.area].package.rsplit(".", 1)[0]
    dims = " and ".join(f"{n}D" for n in card.dims)
    page = _title(f"{card.name} ({card.area})") + f"{_plain(card.summary)}\n\n"
    facts = {
        "Area": card.area,
        "Family": card.family,
        "Images": dims,
        "Class": f"``{public}.{card.class_name}``",
    }
    facts |= {"Paper": _plain(card.paper), "Limit": _plain(card.limit)}
    page += "".join(f":{name}: {value}\n" for name, value in facts.items()) + "\n"
    rows = [
        f"* - ``{one.name}``\n     - {_plain(one.kind)}\n     - ``{one.default or 'required'}``\n"
        f"     - {_plain(one.description)}"
        for one in field_docs(method(card.area, card.name).Config.model_fields)
    ]
    if rows:
        page += "Parameters\n----------\n\n" + _table(["name", "type", "default", "what"], rows)
    return page + f"From Python\n-----------\n\n.. autoclass:: {public}.{card.class_name}\n   :no-members:\n"


def name_pages() -> dict[str, str]:
    """One page a package with its public names, as docs/api.md lists them, and one a name."""
    found = re.findall(r"^## `(medunsup[.\w]*)`\n(.*?)(?=^## |\Z)", API, re.MULTILINE | re.DOTALL)
    pages: dict[str, str] = {}
    told = {"errors", "TISSUES"}  # no docstrings of their own
    for package, section in found:
        listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        own = {name: id(getattr(import_module(package), name)) for name in listed if name not in told}
        names = [name for name, one in own.items() if one not in told]
        told |= set(own.values())
        lines = "\n".join(f"   {name}" for name in names)
        text = (
            _title(package)
            + f".. currentmodule:: {package}\n\n.. autosummary::\n   :toctree: names\n\n{lines}\n"
        )
        pages[f"api/{package}.rst"] = text
    about = "The names that stay, from their docstrings; :doc:`/api` says in a line what each is for.\n"
    return pages | {"api/index.rst": _title("Python API") + about + _toctree([p for p, _ in found], depth=2)}


def data_cards() -> dict[str, str]:
    """Copy the cards of data sets, which lie beside docs/."""
    cards = {
        path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "data_cards").glob("*.md"))
    }
    index = cards.pop("README") + "\n```{toctree}\n:maxdepth: 1\n\n" + "\n".join(cards) + "\n```\n"
    return {f"data_cards/{name}.md": text for name, text in {**cards, "index": index}.items()}


def lead_inside(app, name: str, source: list[str]) -> None:
    """Let links to files beside docs/ lead to their pages of the site."""
    source[0] = re.sub(r"\]\((?:\.\./)+data_cards/README\.md", "](/generated/data_cards/index.md", source[0])
    source[0] = re.sub(r"\]\((?:\.\./)+data_cards/", "](/generated/data_cards/", source[0])


def is_left_out(app, what: str, name: str, one: object, skip: bool, options: object) -> bool | None:
    """Leave out what scikit-learn adds to an estimator for its own routing."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else None


def _slug(name: str) -> str:
    return name.replace(" ", "-")


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n\n"


def _toctree(names: list[str], depth: int = 1) -> str:
    hidden = "" if depth > 1 else "   :hidden:\n"
    return f"\n.. toctree::\n   :maxdepth: {depth}\n{hidden}\n" + "".join(f"   {name}\n" for name in names)


def _table(head: list[str], rows: list[str]) -> str:
    titles = "\n     - ".join(head)
    body = "\n".join(f"   {row}" for row in [f"* - {titles}", *rows])
    return f".. list-table::\n   :header-rows: 1\n   :widths: auto\n\n{body}\n\n"


def _plain(text: str) -> str:
    """Return text on one line in which nothing but `names` in backticks is markup of reStructuredText."""
    parts = re.split(r"`([^`]+)`", " ".join(text.split()))
    plain = [re.sub(r"([*`|_\\])", r"\\\1", part) for part in parts]
    return "".join(f"\\ ``{parts[n]}``\\ " if n % 2 else plain[n] for n in range(len(parts)))
