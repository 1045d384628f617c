"""`retention audit`: what was done, by whom, and the check that none of it changed."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import facts, local, table, working
from retention.errors import VerificationError


@group("audit")
def audit() -> None:
    """The audit log: list | show | verify.

    \b
    Example:
      retention audit list --kind hold.placed
    """


@audit.command("list")
@click.option("--kind", metavar="KIND", help="Of this kind, such as hold.placed.")
@click.option("--camera", metavar="ID", help="About footage of this camera.")
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant.")
@click.option("--before", type=int, metavar="NUMBER", help="Older than this entry.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this many.")
@with_session
def list_(session: Session, **given: str | int | None) -> None:
    """Entries, newest first.

    \b
    Example:
      retention audit list --limit 20
      retention audit list --camera 1001 --from "24/10/2026 14:00" --to "24/10/2026 15:00"
    """
    session.answer(session.ask("audit.list", **given), _entries)


def _entries(answer: Answer, zone: str) -> str:
    return table(
        ("entry", "time", "kind", "by"),
        [
            (one["index"], local(one["at"], zone), one["kind"], one["actor"])
            for one in answer["entries"]
        ],
    )


@audit.command("show")
@click.argument("number", type=int, metavar="NUMBER")
@with_session
def show(session: Session, number: int) -> None:
    """One entry, with what it commits to and the rows that belong to it.

    \b
    Example:
      retention audit show 1204
    """
    session.answer(session.ask("audit.show", number=number), facts)


@audit.command("verify")
@click.option("--deep", is_flag=True, help="Every row of every batch as well.")
@with_session
def verify(session: Session, deep: bool) -> int:
    """Recompute the whole log and compare it with its head.

    \b
    Example:
      retention audit verify

    Exit status 5: the log is not what was written.
    """
    with working("reading the audit log"):
        answer = session.ask("audit.verify", deep=deep or None)
    session.answer(answer, facts)
    return 0 if answer["ok"] else VerificationError.exit_status
