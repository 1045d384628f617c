"""`retention deletion`: pause it, resume it, approve what a guard held back."""

from __future__ import annotations

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import counted, local, safe, size
from retention.model.answers.deletion import (
    DeletionPaused,
    DeletionResumed,
    PlanApproved,
)


@group("deletion")
def deletion() -> None:
    """Deletion as a whole: pause | resume | approve.

    \b
    Example:
      retention deletion pause --for 4h --reason "disk array is being repaired"
    """


@deletion.command("pause")
@click.option("--for", "length", required=True, metavar="DURATION", help="24h at most.")
@click.option("--reason", required=True, help="Why, in a few words.")
@with_session
def pause(session: Session, length: str, reason: str) -> None:
    """Delete nothing for a while; it goes on by itself afterwards.

    \b
    Example:
      retention deletion pause --for 4h --reason "disk array is being repaired"
    """
    answer = session.ask("deletion.pause", DeletionPaused, length=length, reason=reason)
    session.answer(answer, _paused)


def _paused(answer: DeletionPaused, zone: str) -> str:
    if answer.clock_in_doubt is not None:
        return (
            f"The clock is in doubt ({safe(answer.clock_in_doubt)}), and nothing is "
            "deleted until it is put right. The pause is counted from then on."
        )
    until = local(answer.paused_until, zone)
    return f"Nothing is deleted before {until}; then it goes on by itself."


@deletion.command("resume")
@click.option("--reason", required=True, help="Why, in a few words.")
@with_session
def resume(session: Session, reason: str) -> None:
    """End a pause before its time.

    \b
    Example:
      retention deletion resume --reason "repair is finished"
    """
    answer = session.ask("deletion.resume", DeletionResumed, reason=reason)
    session.answer(answer, _resumed)


def _resumed(answer: DeletionResumed, zone: str) -> str:
    return "Deletion goes on with the next cycle."


@deletion.command("approve")
@click.argument("plan", metavar="PLAN")
@with_session
def approve(session: Session, plan: str) -> None:
    """Permit a plan that the volume guard held back: its recordings, no others.

    `retention plan` shows the plans that wait. Recordings under a hold stay.

    \b
    Example:
      retention deletion approve 3
    """
    answer = session.ask("deletion.approve", PlanApproved, plan=plan)
    session.answer(answer, _approved)


def _approved(answer: PlanApproved, zone: str) -> str:
    return (
        f"Plan {answer.plan} is approved: {counted(answer.recordings, 'recording')},"
        f" {size(answer.bytes)}.\nNote: {safe(answer.note)}."
    )
