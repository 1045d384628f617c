"""`retention audit find | balance`: what became of footage, and whether the books add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from retention.cli.audit.texts import CAME_BACK, NOT_SIGNED
from retention.cli.base import Session, with_session
from retention.cli.display import (
    alarm,
    counted,
    fitted_table,
    good,
    length,
    local,
    note,
    number,
    safe,
    sentence,
    size,
    table,
    working,
)
from retention.model.answers.books import (
    BookBalance,
    BookFindings,
    BookLine,
    CountedIn,
    DeletionDone,
    DeletionIntended,
    GivenTo,
    Grew,
    HoldOver,
    Quarantined,
    RecordingEvent,
    RecordingFound,
    RecordingTotal,
    RuledOn,
    RulingAsked,
    UnnamedTime,
    Vanished,
)
from retention.model.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from retention.reports.published_copy import PublishedCopy

_F = TypeVar("_F", bound=Callable[..., Any])

_LISTED = 20
"""Entries that are named, of those that are not signed."""

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
    """`--dir DIR`: from a published copy, by who has no service.  The command is given
    what reads it, as `copied`; None without."""
    option = click.option(
        "--dir",
        "directory",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="From this published copy of the log, without the service.",
    )

    @wraps(function)
    def reading(
        *session: Any, directory: Path | None, unsigned: bool = False, **given: Any
    ) -> Any:
        if directory is None:
            if unsigned:
                raise UsageError(
                    "--unsigned is for a published copy: name it with --dir"
                )
            return function(*session, copied=None, **given)
        from retention.reports.published_copy import PublishedCopy

        try:
            copied = PublishedCopy(directory, unsigned=unsigned)
            return function(*session, copied=copied, **given)
        except _SHAPELESS as error:
            raise VerificationError(
                f"{directory} holds something that no audit log does ({error!r}): "
                f"`retention audit verify {directory} --key KEY` tells where"
            ) from error

    return option(cast("_F", reading))


unsigned_option = click.option(
    "--unsigned",
    is_flag=True,
    help="With --dir: also what lies beyond the signed head, marked.",
)


controller_option = click.option(
    "--controller", metavar="NAME", help="As --camera, of all cameras of this one."
)


def left_out(session: Session, copied: PublishedCopy) -> None:
    """Say what a copy has beyond its signed head and the answer has not; and what a
    public one has not at all."""
    if copied.published.is_public and not session.as_json:
        note(
            f"Note: {counted(copied.source.withheld, 'entry', 'entries')} of "
            f"{number(copied.source.signed)} are withheld from this public copy."
        )
    count = copied.source.beyond
    if count and not copied.source.unsigned and not session.as_json:
        entries = "1 entry" if count == 1 else f"{number(count)} entries"
        note(
            f"Note: without {entries} beyond the signed head, which whoever can write in "
            "the copy may have put there; --unsigned shows them."
        )


def _rests_on(answer: BookFindings | BookBalance) -> list[str]:
    """The warnings over an answer that not all is signed of."""
    return [
        alarm(
            f"{word.upper()}: {_entries(numbers)}, which this rests on: whoever can write "
            f"in {where} may have put them there."
        )
        for word, numbers, where in (
            (NOT_SIGNED, answer.unsigned, "the copy"),
            (CAME_BACK, answer.came_back, "the published directory"),
        )
        if numbers
    ]


def _entries(numbers: list[int]) -> str:
    some = ", ".join(map(str, numbers[:_LISTED]))
    more = " and more" if len(numbers) > _LISTED else ""
    return f"{'entry' if len(numbers) == 1 else 'entries'} {some}{more}"


# -- find ---------------------------------------------------------------------------


@click.command("find")
@click.option("--camera", metavar="ID", help="Footage of this camera; else of all.")
@controller_option
@click.option("--at", metavar="TIME", help="An instant that it covers.")
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant; else now.")
@click.option("--path", metavar="PATH", help="The file at this path, instead.")
@unsigned_option
@directory_option
@with_session
def find(session: Session, copied: PublishedCopy | None, **given: str | None) -> None:
    """What became of footage: recorded, deleted (when, why, which entry), held, lost.

    \b
    Example:
      retention audit find --camera 1101 --at "24/10/2026 14:00"
      retention audit find --camera 1101 --from "24/10/2026 14:00" \\
          --to "24/10/2026 15:00"
      retention audit find --at "24/10/2026 14:00"
      retention audit find --path market-place/2026-10-24_14-00-00.mp4
      retention audit find --camera 1101 --at "24/10/2026 14:00" --dir /media/usb/log
    """
    if copied is None:
        session.answer(session.ask("audit.find", BookFindings, **given), found_text)
        return
    from retention.site.clock import read

    with working("reading the published log"):
        answer = copied.find(read().wall, **given)
    session.answer(answer, found_text, copied.zone)
    left_out(session, copied)


def found_text(answer: BookFindings, zone: str) -> str:
    """What became of footage, for people."""
    recordings = answer.recordings
    marks = _marks(answer)
    parts = [*_rests_on(answer), f"{sentence(answer.summary, zone)}."]
    if len(recordings) > 1:
        parts.append(_recordings(recordings, zone))
    if len(recordings) <= _IN_FULL:
        parts += ["\n".join(_history(one, zone, marks)) for one in recordings]
    if answer.more:
        parts.append(
            f"... and {counted(answer.more, 'more recording')}: ask for a shorter time."
        )
    if answer.holds and not recordings:
        lines = [f"  {_hold(one, zone, marks)}" for one in answer.holds]
        if len(answer.cameras) > 1:
            pairs = zip(answer.holds, lines, strict=True)
            lines = [f"  camera {safe(one.camera or '')}:{line}" for one, line in pairs]
        parts.append("\n".join(["Holds over this time:", *lines]))
    if answer.gaps:
        parts.append(f"No recording is named for:\n{_gaps(answer, zone)}")
    parts += [
        alarm(f"Entry {one.entry}: {sentence(one.what, zone)}.")
        for one in answer.faults
    ]
    return "\n\n".join(parts)


def _recordings(recordings: list[RecordingFound], zone: str) -> str:
    rows = []
    for one in recordings:
        last = one.history[-1] if one.history else None
        rows.append(
            (
                one.camera,
                local(one.start, zone),
                length(one.seconds),
                size(one.bytes),
                one.fate,
                "-" if last is None else last.entry,
                "-" if last is None else local(last.at, zone),
            )
        )
    headings = ("camera", "start", "length", "size", "fate", "entry", "written")
    return fitted_table(headings, rows)


def _counted(roll_ups: list[CountedIn], zone: str) -> str:
    """A roll-up counts what came of a day since the last one, and names no recording."""
    first = roll_ups[0]
    text = f"counted in entry {first.entry}, {local(first.at, zone)}"
    others = len(roll_ups) - 1
    return f"{text}, or in one of {others} later ones" if others else text


def _history(one: RecordingFound, zone: str, marks: _Marks) -> Iterator[str]:
    yield (
        f"Camera {safe(one.camera)}, {local(one.start, zone)} to "
        f"{local(one.end, zone)}, {size(one.bytes)}: {one.fate}"
    )
    if one.path is not None:
        yield f"  file       {safe(one.path)}"
    if one.recorded:
        yield f"  recorded   {_counted(one.recorded, zone)}"
    for event in one.history:
        yield f"  {_event(event, zone)}{_mark([event.entry], marks)}"
    for hold in one.holds:
        yield f"  {_hold(hold, zone, marks)}"
    if one.present is not None and one.present.reason:
        yield f"  in doubt   {safe(one.present.reason)}"


_WORDS = {
    "deletion intended": "intended",
    "not deleted": "kept",
    "quarantined": "in doubt",
}


def _event(event: RecordingEvent, zone: str) -> str:
    what = _WORDS.get(event.what, event.what)
    text = f"{what:<9}  entry {event.entry}, {local(event.at, zone)}"
    if isinstance(event, DeletionIntended):
        return f"{text}: {sentence(event.why, zone)}"
    if isinstance(event, DeletionDone):
        if event.what == "not deleted":
            return f"{text}: {event.outcome}"
        if event.what == "deleted":
            return f"{text}: {event.outcome}, by {safe(event.method)}"
        return text
    if isinstance(event, Vanished):
        held = ", WHILE HELD" if event.held else ""
        return f"{text}: vanished, not by this program{held}"
    if isinstance(event, GivenTo):
        return f"{text}: camera {safe(event.camera)}, whose it is"
    if isinstance(event, RulingAsked):
        return f"{text}: {safe(event.ruling)}, as ruling {event.request}"
    if isinstance(event, RuledOn):
        return (
            f"{text}: {safe(event.ruling)}, from {local(event.new_start, zone)} to "
            f"{local(event.new_end, zone)}"
        )
    if isinstance(event, Grew):
        return f"{text}: now {length(event.seconds)}, {size(event.bytes)}"
    if isinstance(event, Quarantined) and event.reason:
        return f"{text}: {safe(event.reason)}"
    return text


_Marks = Mapping[int, str]
"""What is said of entries that no signature vouches for, by number."""


def _marks(answer: BookFindings) -> _Marks:
    beyond = dict.fromkeys(answer.unsigned or (), NOT_SIGNED)
    return beyond | dict.fromkeys(answer.came_back, CAME_BACK)


def _mark(entries: Iterable[int], marks: _Marks) -> str:
    """What stands behind a line that an unsigned entry has a part in."""
    said = {marks[number] for number in entries if number in marks}
    return f" ({', '.join(sorted(said))})" if said else ""


def _hold(hold: HoldOver, zone: str, marks: _Marks) -> str:
    when = [f"placed {local(hold.placed, zone)}"]
    if hold.released is not None:
        when.append(f"released {local(hold.released, zone)}")
    force, never = "not in force any more", ", nor over this when it went"
    if hold.in_force:
        force, never = "in force", ", but not over this when it went"
    if hold.in_force_then is not None:
        force += ", IN FORCE WHEN IT WENT" if hold.in_force_then else never
    entries = ", ".join(map(str, hold.entries))
    return (
        f"hold       {hold.hold} ({hold.kind}), {', '.join(when)}: {force} "
        f"(entries {entries}){_mark(hold.entries, marks)}"
    )


def _gaps(answer: BookFindings, zone: str) -> str:
    """One line for all cameras of which the same is said of the same time."""
    cameras: dict[UnnamedTime, list[str]] = {}
    for one in answer.gaps:
        cameras.setdefault(replace(one, camera=None), []).append(one.camera or "")
    rows = [
        (
            local(one.since, zone),
            local(one.until, zone, "ever"),
            _some(ids),
            one.what.replace("_", " "),
            one.why,
        )
        for one, ids in cameras.items()
    ]
    headings = ["from", "to", "camera", "what", "why"]
    if len(answer.cameras) == 1 or not any(one.camera for one in answer.gaps):
        del headings[2]
        return table(headings, [(*row[:2], *row[3:]) for row in rows])
    return table(headings, rows)


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return ", ".join(ids[:_LISTED]) + more


# -- balance ------------------------------------------------------------------------


@click.command("balance")
@click.option("--camera", metavar="ID", help="Of this camera; else of all.")
@controller_option
@click.option("--from", "since", metavar="TIME", help="Days from this instant on.")
@click.option("--to", "until", metavar="TIME", help="Days before this instant.")
@click.option("--days", is_flag=True, help="Also the days on which they add up.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="COUNT", help="Days listed, at most."
)
@unsigned_option
@directory_option
@with_session
def balance(
    session: Session, copied: PublishedCopy | None, days: bool, **given: Any
) -> int:
    """Whether the books add up: recorded is present, deleted, lost or in doubt.

    By camera and day (UTC) of the start. A published copy can't tell what is still
    there: it then shows what should be.

    \b
    Example:
      retention audit balance
      retention audit balance --from 2026-10-24 --to 2026-10-31 --days
      retention audit balance --camera 1101 --dir /media/usb/log

    Exit status 5: they don't add up.
    """
    if copied is None:
        with working("adding up the books"):
            answer = session.ask("audit.balance", BookBalance, **given)
        session.answer(answer, partial(_balance, days=days))
    else:
        from retention.site.clock import read

        with working("reading the published log"):
            answer = copied.balance(read().wall, **given)
        session.answer(answer, partial(_balance, days=days), copied.zone)
        left_out(session, copied)
    return VerificationError.exit_status if answer.balanced is False else 0


def _balance(answer: BookBalance, zone: str, *, days: bool = False) -> str:
    colour = alarm if answer.balanced is False else good
    summary = sentence(answer.summary, zone)
    parts = [
        *_rests_on(answer),
        colour(f"{summary[:1].upper()}{summary[1:]}."),
    ]
    if answer.differences:
        parts.append(f"Where they don't add up:\n{_days(answer.differences, answer)}")
    if days and answer.days:
        parts.append(_days([*answer.days, _total(answer)], answer))
    if days and answer.more:
        parts.append(f"... and {counted(answer.more, 'more day')}: add --limit.")
    parts += [
        alarm(f"Entry {one.entry}: {sentence(one.what, zone)}.")
        for one in answer.faults
    ]
    if answer.open_intents:
        parts.append(
            f"Batches not finished: entries {', '.join(map(str, answer.open_intents))}."
        )
    return "\n\n".join(parts)


def _total(answer: BookBalance) -> BookLine:
    return replace(answer.total, camera="all", day="")


def _days(days: list[BookLine], answer: BookBalance) -> str:
    """Numbers of recordings; of columns that say nothing, none."""
    shown = [
        (name, heading)
        for name, heading in _COLUMNS
        if (total := getattr(answer.total, name)) is not None
        and (name == "recorded" or _says_something(total))
    ]
    last = ("difference", "difference") if answer.complete else ("remaining", "left")
    headings = ["camera", "day", *(heading for _, heading in (*shown, last))]
    rows = [
        [
            one.camera,
            one.day,
            *(number(getattr(one, name).recordings) for name, _ in shown),
            _last(getattr(one, last[0])),
        ]
        for one in days
    ]
    return table(headings, rows)


def _says_something(found: RecordingTotal) -> bool:
    return any((found.recordings, found.seconds, found.bytes))


def _last(found: RecordingTotal) -> str:
    """A difference may be of hours or bytes alone."""
    if found.recordings or not _says_something(found):
        return number(found.recordings)
    return f"0 ({number(found.seconds)} s, {number(found.bytes)} bytes)"
