"""`medunsup methods`: what is there to choose from, and what each takes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.core.registry import MethodCard


@verb()
def methods(
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="[AREA|NAME]",
            help="One area only, such as tissue; or one method by name, with its parameters.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """List the methods with their paper and one limit each; or the parameters of one."""
    from dataclasses import asdict

    from medunsup.core.registry import methods as known

    cards = known()
    in_area = [card for card in cards if which in (None, card.area)]
    named = [card for card in cards if card.name == which] if not in_area else []
    if not in_area and not named:
        raise _unknown(str(which), cards)
    if as_json:
        more = [asdict(card) for card in in_area]
        more += [asdict(card) | {"parameters": _parameters(card)} for card in named]
        print_json({"methods": more})
        return
    for card in in_area or named:
        typer.secho(f"{card.name}", bold=True, nl=False)
        dims = "/".join(f"{n}D" for n in card.dims)
        origin = "" if card.distribution == "medunsup" else f", from {card.distribution}"
        typer.echo(f"  {card.area}, {card.family}, {dims}{origin}: {card.summary}")
        typer.echo(f"    limit: {card.limit}\n    paper: {card.paper}")
    for card in named:
        for one in _parameters(card):
            typer.echo(f"    {one['name']}: {one['kind']}, default {one['default']}")
            typer.echo(f"        {one['description']}")


def _parameters(card: "MethodCard") -> list[dict[str, Any]]:
    """Describe what a method's config takes; this alone imports the method."""
    from dataclasses import asdict

    from medunsup.core.field_docs import field_docs
    from medunsup.core.registry import method

    config = method(card.area, card.name).Config  # type: ignore[attr-defined]
    return [asdict(one) for one in field_docs(config.model_fields)]


def _unknown(which: str, cards: "list[MethodCard]") -> Exception:
    """Name the areas, and the nearest method."""
    from difflib import get_close_matches

    from medunsup.core.errors import UsageError

    areas = ", ".join(dict.fromkeys(card.area for card in cards))
    near = get_close_matches(which, [card.name for card in cards], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known areas: {areas}."
    return UsageError(f"There is no area or method {which!r}; {hint}")
