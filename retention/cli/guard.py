"""`retention guard`: vouch for what a guard does not believe."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import local, safe


@group("guard")
def guard() -> None:
    """What stops deletion while something is in doubt: acknowledge.

    `retention status` names the guards that hold and what to do about each; most clear
    by themselves once their cause is gone.

    \b
    Example:
      retention guard acknowledge clock --reason "checked against the speaking clock"
    """


@guard.command("acknowledge")
@click.argument(
    "name", type=click.Choice(["clock", "request", "catalogue"]), metavar="GUARD"
)
@click.option("--reason", required=True, help="Why, in a few words.")
@with_session
def acknowledge(session: Session, name: str, reason: str) -> None:
    """Rule on a guard: `clock`, `request` or `catalogue`.

    clock: vouch for the clock as it is now, after a jump of a day or more. Deletion
    goes on by it: compare the time with another clock first, a wrong one deletes
    footage too early.

    request: a request that was left while the service was down could not be carried
    out, and has been seen to.

    catalogue: it was restored from a backup and brought up to its published log, and
    the holds have been looked at.

    \b
    Example:
      retention guard acknowledge clock --reason "checked against the speaking clock"
      retention guard acknowledge request --reason "placed by hand, hold 18"
    """
    session.answer(
        session.ask("guard.acknowledge", guard=name, reason=reason), _acknowledged
    )


def _acknowledged(answer: Answer, zone: str) -> str:
    if answer["guard"] == "clock":
        now = local(answer["believed"], zone)
        first = f"The clock is believed again: it is {now}."
    else:
        first = "Deletion goes on with the next cycle."
    return (
        f"{first}\nThe guard was tripped since {local(answer['tripped'], zone)}: "
        f"{safe(answer['detail'])}."
    )
