"""`retention audit find | balance`: what became of footage, and whether the books add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from retention.cli.base import Answer, Session, with_session
from retention.cli.display import (
    alarm,
    counted,
    fitted_table,
    good,
    length,
    local,
    number,
    safe,
    sentence,
    size,
    table,
    working,
)
from retention.errors import UsageError, VerificationError

_F = TypeVar("_F", bound=Callable[..., Any])

_IN_FULL = 3
"""Recordings whose whole history is told; of more, what became of them at last."""

_COLUMNS = (
    ("recorded", "recorded"),
    ("corrected", "corrected"),
    ("waiting", "waiting"),
    ("moved", "moved"),
    ("deleted", "deleted"),
    ("lost", "lost"),
    ("present", "present"),
    ("quarantined", "in doubt"),
)
"""Columns of the books that have numbers of recordings, and their headings."""


_SHAPELESS = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What entries of another shape than ours raise where they are read: nobody has verified
a copy before it is read."""


def directory_option(function: _F) -> _F:
    """`--dir DIR`: from a published copy, by who has no service."""
    option = click.option(
        "--dir",
        "directory",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="From this published copy of the log, without the service.",
    )

    @wraps(function)
    def reading(*session: Any, directory: Path | None, **given: Any) -> Any:
        try:
            return function(*session, directory=directory, **given)
        except _SHAPELESS as error:
            if directory is None:
                raise
            raise VerificationError(
                f"{directory} holds something that no audit log does ({error!r}): "
                f"`retention audit verify {directory} --key KEY` tells where"
            ) from error

    return option(cast("_F", reading))


def _is_log(directory: Path) -> Path:
    if not directory.is_dir():
        raise UsageError(
            f"{directory} is no directory: name the published copy of a log"
        )
    return directory


def _zone_of(directory: Path) -> str:
    from retention.audit.copied import Copied

    return Copied(directory).zone


# -- find ---------------------------------------------------------------------------


@click.command("find")
@click.option("--camera", metavar="ID", help="Footage of this camera.")
@click.option("--at", metavar="TIME", help="An instant that it covers.")
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant; else now.")
@click.option("--path", metavar="PATH", help="The file at this path, instead.")
@directory_option
@with_session
def find(session: Session, directory: Path | None, **given: str | None) -> None:
    """What became of footage: recorded, deleted (when, why, which entry), held, lost.

    \b
    Example:
      retention audit find --camera 1101 --at "24/10/2026 14:00"
      retention audit find --camera 1101 --from "24/10/2026 14:00" \\
          --to "24/10/2026 15:00"
      retention audit find --path market-place/2026-10-24_14-00-00.mp4
      retention audit find --camera 1101 --at "24/10/2026 14:00" --dir /media/usb/log
    """
    if directory is None:
        session.answer(session.ask("audit.find", **given), _found)
        return
    from retention.clock import read
    from retention.ledger import copied

    with working("reading the published log"):
        answer = copied.find(_is_log(directory), read().wall, **given)
    session.answer(answer, _found, _zone_of(directory))


def _found(answer: Answer, zone: str) -> str:
    recordings = answer["recordings"]
    parts = [f"{sentence(answer['summary'], zone)}."]
    if len(recordings) > 1:
        parts.append(_recordings(recordings, zone))
    if len(recordings) <= _IN_FULL:
        parts += ["\n".join(_history(one, zone)) for one in recordings]
    if answer["more"]:
        parts.append(
            f"... and {counted(answer['more'], 'more recording')}: ask for a shorter time."
        )
    if answer["holds"] and not recordings:
        lines = (f"  {_hold(one, zone)}" for one in answer["holds"])
        parts.append("\n".join(["Holds over this time:", *lines]))
    if answer["gaps"]:
        parts.append(f"No recording is named for:\n{_gaps(answer['gaps'], zone)}")
    parts += [
        alarm(f"Entry {one['entry']}: {sentence(one['what'], zone)}.")
        for one in answer["faults"]
    ]
    return "\n\n".join(parts)


def _recordings(recordings: list[Answer], zone: str) -> str:
    rows = []
    for one in recordings:
        last = one["history"][-1] if one["history"] else None
        rows.append(
            (
                one["camera"],
                local(one["start"], zone),
                length(one["seconds"]),
                size(one["bytes"]),
                one["fate"],
                "-" if last is None else last["entry"],
                "-" if last is None else local(last["at"], zone),
            )
        )
    headings = ("camera", "start", "length", "size", "fate", "entry", "written")
    return fitted_table(headings, rows)


def _counted(roll_ups: list[Answer], zone: str) -> str:
    """A roll-up counts what came of a day since the last one, and names no recording."""
    first = roll_ups[0]
    text = f"counted in entry {first['entry']}, {local(first['at'], zone)}"
    others = len(roll_ups) - 1
    return f"{text}, or in one of {others} later ones" if others else text


def _history(one: Answer, zone: str) -> Iterator[str]:
    yield (
        f"Camera {safe(one['camera'])}, {local(one['start'], zone)} to "
        f"{local(one['end'], zone)}, {size(one['bytes'])}: {one['fate']}"
    )
    if one["path"] is not None:
        yield f"  file       {safe(one['path'])}"
    if one["recorded"]:
        yield f"  recorded   {_counted(one['recorded'], zone)}"
    for event in one["history"]:
        yield f"  {_event(event, zone)}"
    for hold in one["holds"]:
        yield f"  {_hold(hold, zone)}"
    if one["present"] is not None and one["present"]["reason"]:
        yield f"  in doubt   {safe(one['present']['reason'])}"


_WORDS = {
    "deletion intended": "intended",
    "not deleted": "kept",
    "quarantined": "in doubt",
}


def _event(event: Answer, zone: str) -> str:
    what = _WORDS.get(event["what"], event["what"])
    text = f"{what:<9}  entry {event['entry']}, {local(event['at'], zone)}"
    if event["what"] == "not deleted":
        return f"{text}: {event['outcome']}"
    if event["what"] == "deletion intended":
        return f"{text}: {sentence(event['why'], zone)}"
    if event["what"] == "deleted":
        return f"{text}: {event['outcome']}, by {safe(event['method'])}"
    if event["what"] == "lost":
        held = ", WHILE HELD" if event.get("held") else ""
        return f"{text}: vanished, not by this program{held}"
    if event["what"] == "ruled on":
        return (
            f"{text}: {safe(event['ruling'])}, from {local(event['new_start'], zone)} to "
            f"{local(event['new_end'], zone)}"
        )
    if event["what"] == "changed":
        return f"{text}: now {length(event['seconds'])}, {size(event['bytes'])}"
    return f"{text}: {safe(event['reason'])}" if event.get("reason") else text


def _hold(hold: Answer, zone: str) -> str:
    when = [f"placed {local(hold['placed'], zone)}"]
    if hold["released"] is not None:
        when.append(f"released {local(hold['released'], zone)}")
    force = "in force" if hold["in_force"] else "not in force any more"
    if hold["in_force_then"]:
        force += ", IN FORCE WHEN IT WENT"
    entries = ", ".join(map(str, hold["entries"]))
    return (
        f"hold       {hold['hold']} ({hold['kind']}), {', '.join(when)}: {force} "
        f"(entries {entries})"
    )


def _gaps(gaps: list[Answer], zone: str) -> str:
    return table(
        ("from", "to", "what", "why"),
        [
            (
                local(one["since"], zone),
                local(one["until"], zone, "ever"),
                one["what"].replace("_", " "),
                one["why"],
            )
            for one in gaps
        ],
    )


# -- balance ------------------------------------------------------------------------


@click.command("balance")
@click.option("--camera", metavar="ID", help="Of this camera; else of all.")
@click.option("--from", "since", metavar="TIME", help="Days from this instant on.")
@click.option("--to", "until", metavar="TIME", help="Days before this instant.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="COUNT", help="Days listed, at most."
)
@directory_option
@with_session
def balance(session: Session, directory: Path | None, **given: Any) -> int:
    """Whether the books add up: recorded is present, deleted, lost or in doubt.

    By camera and day (UTC) of the start. A published copy can't tell what is still
    there: it then shows what should be.

    \b
    Example:
      retention audit balance --from "2026-10-24 00:00" --to "2026-10-31 00:00"
      retention audit balance --camera 1101 --dir /media/usb/log

    Exit status 5: they don't add up.
    """
    if directory is None:
        with working("adding up the books"):
            answer = session.ask("audit.balance", **given)
        session.answer(answer, _balance)
    else:
        from retention.clock import read
        from retention.ledger import copied

        with working("reading the published log"):
            answer = copied.balance(_is_log(directory), read().wall, **given)
        session.answer(answer, _balance, _zone_of(directory))
    return 0 if answer["balanced"] else VerificationError.exit_status


def _balance(answer: Answer, zone: str) -> str:
    colour = good if answer["balanced"] else alarm
    summary = sentence(answer["summary"], zone)
    parts = [colour(f"{summary[:1].upper()}{summary[1:]}.")]
    if answer["differences"]:
        parts.append(
            f"Where they don't add up:\n{_days(answer['differences'], answer)}"
        )
    if answer["days"]:
        parts.append(_days([*answer["days"], _total(answer)], answer))
    if answer["more"]:
        parts.append(f"... and {counted(answer['more'], 'more day')}: add --limit.")
    parts += [
        alarm(f"Entry {one['entry']}: {sentence(one['what'], zone)}.")
        for one in answer["faults"]
    ]
    if answer["open_intents"]:
        parts.append(
            f"Batches not finished: entries {', '.join(map(str, answer['open_intents']))}."
        )
    return "\n\n".join(parts)


def _total(answer: Answer) -> Answer:
    return {**answer["total"], "camera": "all", "day": ""}


def _days(days: list[Answer], answer: Answer) -> str:
    """Numbers of recordings; of columns that say nothing, none."""
    shown = [
        (name, heading)
        for name, heading in _COLUMNS
        if answer["total"][name] is not None
        and (name == "recorded" or _says_something(answer["total"][name]))
    ]
    last = ("difference", "difference") if answer["complete"] else ("remaining", "left")
    headings = ["camera", "day", *(heading for _, heading in (*shown, last))]
    rows = [
        [
            one["camera"],
            one["day"],
            *(number(one[name]["recordings"]) for name, _ in shown),
            _last(one[last[0]]),
        ]
        for one in days
    ]
    return table(headings, rows)


def _says_something(found: Answer) -> bool:
    return any(found.values())


def _last(found: Answer) -> str:
    """A difference may be of hours or bytes alone."""
    if found["recordings"] or not _says_something(found):
        return number(found["recordings"])
    return f"0 ({number(found['seconds'])} s, {number(found['bytes'])} bytes)"
