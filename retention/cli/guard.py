"""`retention guard`: vouch for what a guard does not believe."""

from __future__ import annotations

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import local, safe
from retention.control.guards import GUARDS, VOUCHED
from retention.model.answers.deletion import GuardAcknowledged


@group("guard")
def guard() -> None:
    """What stops deletion while something is in doubt: acknowledge.

    `retention status` names the guards that hold and what to do about each; most clear
    by themselves once their cause is gone.

    \b
    Example:
      retention guard acknowledge clock --reason "checked against the speaking clock"
    """


_NAMES = ", ".join(f"`{name}`" for name in VOUCHED[:-1]) + f" or `{VOUCHED[-1]}`"

_HELP = "\n\n".join(
    [
        f"Rule on a guard: {_NAMES}.",
        *(f"{name}: {GUARDS[name].vouched}" for name in VOUCHED),
        """\b
Example:
  retention guard acknowledge clock --reason "checked against the speaking clock"
  retention guard acknowledge request --reason "placed by hand, hold 18"
""",
    ]
)


@guard.command("acknowledge", help=_HELP)
@click.argument("name", type=click.Choice([*GUARDS]), metavar="GUARD")
@click.option("--reason", required=True, help="Why, in a few words.")
@click.option(
    "--unread",
    is_flag=True,
    help="Of a restored catalogue: accept that parts of roots can't be read.",
)
@with_session
def acknowledge(session: Session, name: str, reason: str, unread: bool) -> None:
    """Rule on a guard."""
    more = {"unread": True} if unread else {}
    session.answer(
        session.ask(
            "guard.acknowledge", GuardAcknowledged, guard=name, reason=reason, **more
        ),
        _acknowledged,
    )


def _acknowledged(answer: GuardAcknowledged, zone: str) -> str:
    first = "Deletion goes on with the next cycle."
    if answer.stopped_by:
        first = f"Deletion stays off: {'; '.join(map(safe, answer.stopped_by))}."
    if answer.guard == "clock":
        now = local(answer.believed, zone)
        first = f"The clock is believed again: it is {now}. {first}"
    return (
        f"{first}\nThe guard was tripped since {local(answer.tripped, zone)}: "
        f"{safe(answer.detail)}."
    )
