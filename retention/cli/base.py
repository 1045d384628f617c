"""What every command shares: the request, the answer's two forms, order of help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from retention.cli import display
from retention.client import Client

if TYPE_CHECKING:
    from retention.settings import Settings

Answer = dict[str, Any]


@dataclass(slots=True)
class Session:
    """One run of the program: where to ask, and in which form to answer."""

    client: Client
    as_json: bool = False

    @property
    def zone(self) -> str:
        """The zone in which people at this site read times."""
        return self.client.timezone

    @property
    def settings(self) -> Settings:
        """The configuration, for commands that work without the service."""
        from retention import offline

        return offline.settings(self.client.config)

    def ask(self, verb: str, **arguments: Any) -> Answer:
        """The verb's answer; options that were not given (None) are left out."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return self.client.call(verb, **given)

    def answer(
        self,
        answer: Answer,
        text: Callable[[Answer, str], str],
        zone: str | None = None,
    ) -> None:
        """Print the answer: as JSON where asked for, else as `text` tells it, with what
        every screen has to say.  `zone` is that of people where no site is asked."""
        if self.as_json:
            display.put_json(answer)
            return
        display.put(text(answer, zone or self.zone))
        if "hold" in answer and "not_published" in answer:
            display.note(f"Note: {display.safe(answer['not_published'])}.")
        for notice in self.client.notices:
            display.note(f"Note: {notice}.")


class Group(click.Group):
    """Commands in the order in which they were written, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return list(self.commands)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """One line or more a command, never cut off."""
        write_commands(formatter, "Commands", list(self.commands.values()))


def write_commands(
    formatter: click.HelpFormatter, title: str, commands: Sequence[click.Command]
) -> None:
    """A section of help: each command with the first sentence of its own help."""
    with formatter.section(title):
        formatter.write_dl(
            [
                (command.name or "", command.get_short_help_str(limit=200))
                for command in commands
            ]
        )


def group(name: str) -> Callable[[Callable[..., Any]], Group]:
    """A noun: its commands are its verbs."""
    return click.group(name, cls=Group)


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    session = context.find_object(Session)
    if value and session is not None:
        session.as_json = True


def with_session(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its session, and `--json` after its name as well as before."""
    option = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_set_json,
        help="Print the answer as JSON, times in UTC.",
    )
    return option(click.pass_obj(function))
