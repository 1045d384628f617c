"""`retention root`: the directory trees that recorders write to."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import facts, local, table, working


@group("root")
def root() -> None:
    """The footage roots: list | adopt | replace.

    \b
    Example:
      retention root list
    """


@root.command("list")
@with_session
def list_(session: Session) -> None:
    """Each footage root: its path, whether it is there, when it was read last.

    \b
    Example:
      retention root list
    """
    session.answer(session.ask("root.list"), _roots)


def _roots(answer: Answer, zone: str) -> str:
    return table(
        ("root", "path", "state", "read last"),
        [
            (one["name"], one["path"], one["state"], local(one["scanned"], zone))
            for one in answer["roots"]
        ],
    )


@root.command("adopt")
@click.argument("name", metavar="NAME")
@with_session
def adopt(session: Session, name: str) -> None:
    """Take in a root of the configuration that already holds footage.

    Counts what is there and puts it on record. Nothing of it is deleted before a
    supervisor has seen how much of it is already due.

    \b
    Example:
      retention root adopt nvr1
    """
    with working(f"reading {name}"):
        answer = session.ask("root.adopt", name=name)
    session.answer(answer, facts)


@root.command("replace")
@click.argument("name", metavar="NAME")
@click.option("--reason", required=True, help="Why the disk is another one.")
@with_session
def replace(session: Session, name: str, reason: str) -> None:
    """Say that another disk is now in the place of root NAME.

    What was on the old disk is then recorded as lost. Two people, on record.

    \b
    Example:
      retention root replace nvr1 --reason "disk failed, ticket 5531"
    """
    session.answer(session.ask("root.replace", name=name, reason=reason), facts)
