"""`medunsup methods`: what is there to choose from."""

from typing import Annotated

import typer

from medunsup.cli.console import one_line_errors, print_json


def methods(
    area: Annotated[str | None, typer.Argument(help="One area only, such as tissue.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """List the methods with their paper and one limit each."""
    from dataclasses import asdict

    from medunsup.core.errors import UsageError
    from medunsup.core.registry import methods as known

    with one_line_errors(as_json=as_json):
        cards = known(area)
        if not cards:
            areas = ", ".join(dict.fromkeys(card.area for card in known()))
            raise UsageError(f"There is no area {area!r} with methods. Known: {areas}.")
        if as_json:
            print_json({"methods": [asdict(card) for card in cards]})
            return
        for card in cards:
            typer.secho(f"{card.name}", bold=True, nl=False)
            typer.echo(
                f"  {card.area}, {card.family}, {'/'.join(f'{n}D' for n in card.dims)}: {card.summary}"
            )
            typer.echo(f"    limit: {card.limit}\n    paper: {card.paper}")
