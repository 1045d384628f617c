"""What every command shares: the request, the answer's two forms, order of help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import click

from retention.cli import display
from retention.model import codec
from retention.model.answers.changed import Changed
from retention.model.errors import RetentionError

if TYPE_CHECKING:
    from pathlib import Path

    from retention.service.client import Client
    from retention.site.settings import Settings

T = TypeVar("T")


@dataclass
class Session:
    """One run of the program: where to ask, and in which form to answer.

    The client is loaded by commands that ask the service: an auditor's do not.
    """

    config: Path | None
    socket: Path | None
    as_json: bool = False

    @cached_property
    def client(self) -> Client:
        """Asks the service that `config` or `socket` name."""
        from retention.service.client import Client

        return Client(self.config, self.socket)

    @property
    def zone(self) -> str:
        """The zone in which people at this site read times."""
        return self.client.timezone

    @property
    def settings(self) -> Settings:
        """The configuration, for commands that work without the service."""
        from retention.cli.local import offline

        return offline.settings(self.client.config)

    @overload
    def ask(self, verb: str, kind: type[T], /, **arguments: Any) -> T: ...

    @overload
    def ask(self, verb: str, kind: UnionType, /, **arguments: Any) -> Any: ...

    def ask(self, verb: str, kind: Any, /, **arguments: Any) -> Any:
        """The verb's answer, a value of `kind`; options that were not given (None) are
        left out.

        RetentionError where the service and this command don't understand each other.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        answer = self.client.call(verb, **given)
        try:
            return codec.from_json(kind, answer)
        except RetentionError as error:
            raise RetentionError(
                f"the service did what was asked ({verb}), but its answer is not what "
                f"this command expects ({error}): they are of two versions, so restart "
                "the service with `systemctl restart cctv-retention`"
            ) from error

    def answer(
        self,
        answer: T,
        text: Callable[[T, str], str],
        zone: str | None = None,
    ) -> None:
        """Print the answer: as JSON where asked for, else as `text` tells it, with what
        every screen has to say.  `zone` is that of people where no site is asked."""
        if self.as_json:
            display.put_json(codec.to_json(answer))
            return
        shown = text(answer, zone or self.zone)
        display.put(shown)
        why = display.safe(_not_published(answer))
        if why not in shown:
            display.note(f"Note: {why}.")
        if "client" in vars(self):
            for notice in self.client.notices:
                display.note(f"Note: {notice}.")


def _not_published(answer: Any) -> str:
    """Why a change is not in the published log yet; empty where there is nothing to say."""
    return (isinstance(answer, Changed) and answer.not_published) or ""


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
