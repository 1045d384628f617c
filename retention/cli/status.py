"""`retention status` and `retention plan`: one screen each, the worst first."""

from __future__ import annotations

import click

from retention.cli.base import Session, with_session
from retention.cli.display import facts


@click.command("status")
@with_session
def status(session: Session) -> None:
    """One screen: deleting or why not, overdue, holds, roots, silent cameras.

    \b
    Example:
      retention status
      retention status --json
    """
    session.answer(session.ask("status"), facts)


@click.command("plan")
@click.option("--ahead", metavar="DURATION", help="Due within this time as well.")
@with_session
def plan(session: Session, ahead: str | None) -> None:
    """What is due now and why; what is blocked, and by which holds.

    Deletes nothing.

    \b
    Example:
      retention plan
      retention plan --ahead 7d
    """
    session.answer(session.ask("plan", ahead=ahead), facts)
