"""`retention root`: the directory trees that recorders write to."""

from __future__ import annotations

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import alarm, local, safe, sentence, table, working
from retention.model.answers.root import (
    ReplacementAsked,
    RootList,
    RootReplaced,
    RootTakenIn,
)


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
    session.answer(session.ask("root.list", RootList), _roots)


def _roots(answer: RootList, zone: str) -> str:
    roots = answer.roots
    lines = [
        alarm(f"NOT AVAILABLE: {safe(one.name)}: {sentence(one.state, zone)}.")
        for one in roots
        if not one.available
    ]
    rows = [
        (
            one.name,
            one.state if one.available else "NOT AVAILABLE",
            local(one.adopted, zone, "not yet"),
            local(one.scanned, zone, "not yet"),
            local(one.reconciled, zone, "not yet"),
            one.path,
        )
        for one in roots
    ]
    headings = ("root", "state", "taken in", "read last", "compared in full", "path")
    return "\n".join([*lines, table(headings, rows)])


@root.command("adopt")
@click.argument("name", metavar="NAME")
@with_session
def adopt(session: Session, name: str) -> None:
    """Take in a root of the configuration, also one that already holds footage.

    The daemon's first complete reading puts on record what is in it. Nothing in it is
    deleted before, and what is due by then waits for `retention deletion approve`.

    \b
    Example:
      retention root adopt nvr1
    """
    with working(f"taking in {name}"):
        answer = session.ask("root.adopt", RootTakenIn, name=name)
    session.answer(answer, _adopted)


def _adopted(answer: RootTakenIn, zone: str) -> str:
    return (
        f"Root {safe(answer.name)} at {safe(answer.path)} is taken in (entry "
        f"{answer.entry} of the audit log); the daemon reads it when it runs."
    )


@root.command("replace")
@click.argument("name", metavar="NAME")
@click.option("--reason", required=True, help="Why the disk is another one.")
@with_session
def replace(session: Session, name: str, reason: str) -> None:
    """Say that another disk is now in the place of root NAME.

    What was on the old disk is then found lost, on record. Takes two people: an
    administrator types this, then another administrator or a supervisor within a day.

    \b
    Example:
      retention root replace nvr1 --reason "disk failed, ticket 5531"
    """
    answer: ReplacementAsked | RootReplaced = session.ask(
        "root.replace", RootReplaced | ReplacementAsked, name=name, reason=reason
    )
    session.answer(answer, _replaced)


def _replaced(answer: ReplacementAsked | RootReplaced, zone: str) -> str:
    if isinstance(answer, ReplacementAsked):
        return _asked(answer, zone)
    what = "the same disk, met again" if answer.same_disk else "another disk"
    lines = [
        f"Root {safe(answer.name)} at {safe(answer.path)} is {what} (entry "
        f"{answer.entry} of the audit log)."
    ]
    if answer.abandoned_batches:
        lines.append(
            alarm(
                f"{answer.abandoned_batches} batches of the old disk were not "
                "finished: what became of their files is not known."
            )
        )
    return "\n".join(lines)


def _asked(answer: ReplacementAsked, zone: str) -> str:
    name, able = safe(answer.name), ", ".join(map(safe, answer.approvers))
    return (
        f"Asked for, not done: root {name} at {safe(answer.path)} (entry "
        f"{answer.entry} of the audit log).\n"
        f"A second person ({able or 'no other has the role: add one to its group'}) "
        f'types `retention root replace {name} --reason "..."` until '
        f"{local(answer.until, zone)}."
    )
