"""`retention guard`: vouch for what a guard does not believe."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import local, safe


@group("guard")
def guard() -> None:
    """What stops deletion while something is in doubt: acknowledge.

    `retention status` names the guards that hold and what to do about each; all but
    the clock's clear by themselves once their cause is gone.

    \b
    Example:
      retention guard acknowledge clock --reason "checked against the speaking clock"
    """


@guard.command("acknowledge")
@click.argument("name", type=click.Choice(["clock"]), metavar="clock")
@click.option("--reason", required=True, help="Why the clock is right, in a few words.")
@with_session
def acknowledge(session: Session, name: str, reason: str) -> None:
    """Vouch for the clock as it is now, after a jump of a day or more.

    Deletion goes on by it, and the reason goes on record. Compare the time with
    another clock first: a wrong one deletes footage too early.

    \b
    Example:
      retention guard acknowledge clock --reason "checked against the speaking clock"
    """
    session.answer(
        session.ask("guard.acknowledge", guard=name, reason=reason), _acknowledged
    )


def _acknowledged(answer: Answer, zone: str) -> str:
    return (
        f"The clock is believed again: it is {local(answer['believed'], zone)}.\n"
        f"It was doubted since {local(answer['tripped'], zone)}: "
        f"{safe(answer['detail'])}."
    )
