"""`retention alarm`: what needs a person, what to do about it, and that it was done."""

from __future__ import annotations

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import local, pairs, safe, sentence, table
from retention.model.answers.alarm import AlarmAcknowledged, AlarmList, AlarmShown


@group("alarm")
def alarm() -> None:
    """What needs a person: list, show, acknowledge.

    An alarm stands until its cause is gone or, where it says so, somebody acknowledges
    it.  Those that stop deletion are guards.

    \b
    Example:
      retention alarm list
      retention alarm show 4711
      retention alarm acknowledge 4711 --reason "recorder replaced, asked the police"
    """


@alarm.command("list")
@with_session
def listing(session: Session) -> None:
    """All alarms that stand, the worst first.

    \b
    Example:
      retention alarm list
      retention alarm list --json
    """
    session.answer(session.ask("alarm.list", AlarmList), _list)


def _list(answer: AlarmList, zone: str) -> str:
    if not answer.alarms:
        return "No alarm stands."
    rows = [
        (number(one), one.alarm, one.scope or "all", local(one.since, zone),
         sentence(one.detail, zone))
        for one in answer.alarms
    ]  # fmt: skip
    return table(("number", "alarm", "where", "since", "what"), rows)


def number(one: AlarmShown) -> str:
    """The number by which an alarm is shown and acknowledged."""
    return "-" if one.number is None else str(one.number)


@alarm.command("show")
@click.argument("number", type=int)
@with_session
def show(session: Session, number: int) -> None:
    """One alarm: what, where, since when, what to do, and how it ends.

    \b
    Example:
      retention alarm show 4711
    """
    session.answer(session.ask("alarm.show", AlarmShown, alarm=number), _shown)


def _shown(answer: AlarmShown, zone: str) -> str:
    return pairs(
        [
            ("alarm", answer.alarm),
            ("where", answer.scope or "the whole site"),
            ("since", local(answer.since, zone)),
            ("what", sentence(answer.detail, zone)),
            ("cameras", ", ".join(map(safe, answer.cameras)) or "-"),
            ("what to do", answer.remedy),
            ("how it ends", _ends(answer)),
        ]
    )


def _ends(answer: AlarmShown) -> str:
    if answer.acknowledged_by == 0:
        return "by itself, once its cause is gone"
    how = f'`retention alarm acknowledge {number(answer)} --reason "..."`'
    if answer.acknowledged_by == 1:
        return f"somebody types {how}"
    if answer.asked_by is None:
        return f"two people type {how}"
    return f"{safe(answer.asked_by)} asked for it; a second person types {how}"


@alarm.command("acknowledge")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="What was done about it.")
@with_session
def acknowledge(session: Session, number: int, reason: str) -> None:
    """Say that an alarm was seen to, on record.

    A guard takes an administrator, any other alarm a supervisor.  Held footage that is
    lost takes two people: the second one types the same.

    \b
    Example:
      retention alarm acknowledge 4711 --reason "recorder replaced, asked the police"
    """
    session.answer(
        session.ask(
            "alarm.acknowledge", AlarmAcknowledged, alarm=number, reason=reason
        ),
        _acknowledged,
    )


def _acknowledged(answer: AlarmAcknowledged, zone: str) -> str:
    what = sentence(answer.detail, zone)
    if answer.ended:
        return f"Alarm {answer.alarm} stands no more: {what}."
    return (
        f"Alarm {answer.alarm} still stands, until a second person types `retention "
        f'alarm acknowledge {answer.alarm} --reason "..."`: {what}.'
    )
