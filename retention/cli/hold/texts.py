"""Holds as people read them: the list, one hold with its history, what became of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from retention.cli.audit.texts import CAME_BACK
from retention.cli.display import (
    alarm,
    clock_in_doubt,
    counted,
    length,
    local,
    pairs,
    safe,
    table,
)
from retention.cli.hold.answers import (
    OPEN,
    alarms,
    incomplete,
    not_as_catalogued,
    place_of,
    some,
)
from retention.control.guards import HELD_LOST
from retention.model.answers.alarm import AlarmShown
from retention.model.answers.hold import (
    WHOLE,
    HoldAmended,
    HoldList,
    HoldReleased,
    HoldReviewed,
    HoldRow,
    HoldShown,
    Inspection,
    ReleaseAsked,
    ReleaseRejected,
)

_COUNTS: tuple[tuple[Callable[[HoldRow], object], str], ...] = (
    (
        lambda one: one.lost or one.overwritten or _alarms_of_loss(one),
        "with footage that is lost",
    ),
    (lambda one: one.not_in_log, "not in the log"),
    (lambda one: one.by_log_alone, "otherwise in the log"),
    (lambda one: one.incomplete, "incomplete"),
    (lambda one: one.review_due, "due for review"),
    (lambda one: one.release_requested, "waiting for the approval of a release"),
)


def holds(answer: HoldList, zone: str) -> str:
    """The list: first those that somebody must act on."""
    found = sorted(answer.holds, key=lambda one: not _needs_somebody(one))
    parts = [
        *clock_in_doubt(answer.clock_in_doubt),
        _heading(found),
        *(_hold(one, zone) for one in found),
    ]
    if answer.after is not None:
        parts.append(f"More of them: add --after {answer.after}")
    return "\n\n".join(parts)


def _alarms_of_loss(one: HoldRow) -> list[AlarmShown]:
    return [found for found in one.alarms if found.alarm == HELD_LOST]


def _lost(one: HoldRow) -> Iterator[str]:
    if one.lost:
        yield alarm(
            f"LOST while it kept it, and not back: {counted(one.lost, 'recording')}; "
            "`retention audit list --kind recordings.lost`."
        )
    if one.overwritten:
        yield alarm(
            "OTHER THAN CATALOGUED since it keeps it (shrunk, overwritten, or its times "
            f"moved): {counted(one.overwritten, 'recording')}; `retention audit list "
            "--kind recordings.quarantined`."
        )


def _unlogged(one: HoldRow) -> Iterator[str]:
    if one.not_in_log:
        what = "all of it" if one.not_in_log == [WHOLE] else _parts(one.not_in_log)
        yield alarm(
            f"NOT IN THE LOG: {what}. Only the catalogue's rows have that; it is in force "
            "until two people release the hold."
        )
    for text in one.by_log_alone:
        yield alarm(
            f"THE LOG SAYS OTHERWISE: {text}. That is in force, and nothing is deleted "
            "(guard mismatch)."
        )


def _parts(names: list[str]) -> str:
    return "its " + " and its ".join(names)


def _needs_somebody(one: HoldRow) -> bool:
    return any(has(one) for has, _ in _COUNTS)


def _heading(found: list[HoldRow]) -> str:
    if not found:
        return "No hold."
    counts = [
        f"{count} {words}"
        for has, words in _COUNTS
        if (count := sum(bool(has(one)) for one in found))
    ]
    if not counts:
        return f"{counted(len(found), 'hold')}."
    return f"{counted(len(found), 'hold')}: {alarm(', '.join(counts))}."


def _hold(one: HoldRow, zone: str) -> str:
    """A few short lines: three instants in one row would not fit a terminal."""
    told = [*_unlogged(one), *_lost(one), *alarms(_alarms_of_loss(one), zone)]
    lost = (f"  {line}" for line in told)
    lines = [title(one), *_facts(one, zone), *lost, *_todo(one, zone)]
    return "\n".join(lines)


def _covered(one: HoldRow) -> str:
    """The cameras; where there are few, with their places."""
    cameras = one.cameras
    if len(cameras) > 2:
        return some([camera.camera for camera in cameras], few=4)
    return "; ".join(
        f"{camera.camera} {place_of(camera.location, camera.view)}"
        for camera in cameras
    )


def title(one: HoldRow) -> str:
    """Number, state, kind and reference of a hold."""
    return (
        f"hold {one.hold}  {_state(one)}  {one.kind} "
        f"{safe(one.reference or 'without a reference')}"
    )


def _state(one: HoldRow) -> str:
    words = [one.state]
    if one.incomplete:
        words.append("INCOMPLETE")
    if one.review_due:
        words.append("REVIEW DUE")
    return ", ".join(words)


def _facts(one: HoldRow, zone: str) -> list[str]:
    """Lines of name and value, a little to the right."""
    since, until = one.asked.since, one.asked.until
    facts = [
        ("cameras", _covered(one)),
        ("from", f"{local(since, zone)} to {local(until, zone, OPEN)}"),
        ("why", one.reason),
        ("asked by", _asked_by(one, zone)),
    ]
    if one.free_at is None:
        facts.append(("review by", local(one.review, zone)))
    else:
        facts.append(("free from", local(one.free_at, zone)))
    shown = pairs((name, value) for name, value in facts if value)
    return [f"  {line}" for line in shown.splitlines()]


def _asked_by(one: HoldRow, zone: str) -> str:
    parts = [one.officer, one.force, one.requester]
    if one.received:
        parts.append(f"received {local(one.received, zone)}")
    return ", ".join(part for part in parts if part)


def _todo(one: HoldRow, zone: str) -> Iterator[str]:
    """What somebody must do about it, as commands."""
    number = one.hold
    if one.incomplete:
        yield f"  {incomplete(number, one.incomplete)}"
    if one.review_due:
        yield alarm(
            f"  Look at it again: still needed, `retention hold review {number} --reason "
            f"...`; not needed, `retention hold release {number} --reason ...`."
        )
    if request := one.release_requested:
        yield (
            f"  Release asked for by {safe(request.by)} at "
            f"{local(request.at, zone)}: {safe(request.reason)}"
        )
        yield f"  {_approvers(one) if request.in_log else alarm(_FORGED)}"


_FORGED = (
    "The log knows of no such request: only the catalogue's rows have it, so it can be "
    'neither approved nor rejected. `retention schema repair --reason "..."` ends it.'
)


def _approvers(one: HoldRow | ReleaseAsked) -> str:
    names = one.approvers
    command = f"`retention hold approve {one.hold}` or `reject`"
    if not names:
        return alarm(f"Nobody can approve it: no supervisor is known. ({command})")
    return f"To approve it: {some(names)}, with {command}."


def hold(answer: HoldShown, zone: str) -> str:
    """One hold, with all that is known of it and what was done about it."""
    parts = [
        title(answer),
        *clock_in_doubt(answer.clock_in_doubt),
        pairs((name, value) for name, value in _all_facts(answer, zone) if value),
        table(
            ("camera", "location"),
            [(one.camera, place_of(one.location, one.view)) for one in answer.cameras],
        ),
        "\n".join(line.strip() for line in _todo(answer, zone)),
        "\n".join(
            [
                *_unlogged(answer),
                *_lost(answer),
                *_looked(answer),
                *alarms(answer.alarms, zone),
            ]
        ),
        _history(answer, zone),
    ]
    return "\n\n".join(part for part in parts if part)


def _looked(one: HoldShown) -> Iterator[str]:
    found = one.inspection
    if found is not None and found == Inspection(found.files) and found.files:
        yield f"Looked at just now: {counted(found.files, 'file')}, all as catalogued."
    yield from not_as_catalogued(found)


def _all_facts(one: HoldRow, zone: str) -> list[tuple[str, Any]]:
    return [
        ("asked from", local(one.asked.since, zone)),
        ("to", local(one.asked.until, zone, OPEN)),
        ("as typed", one.typed),
        ("margin", _margin(one.margin_seconds)),
        ("officer", one.officer),
        ("force", one.force),
        ("power used", one.power),
        ("asked for by", one.requester),
        ("received", local(one.received, zone, "")),
        ("why", one.reason),
        ("placed", f"{local(one.placed, zone)} by {safe(one.placed_by)}"),
        ("replaces", one.replaces and f"hold {one.replaces}"),
        ("review by", local(one.review, zone)),
        ("released", local(one.released, zone, "")),
        ("free from", local(one.free_at, zone, "")),
    ]


def _margin(seconds: int) -> str:
    return f"{length(seconds)} before and after" if seconds else "none"


def _history(one: HoldShown, zone: str) -> str:
    if not one.history:
        return ""
    return table(
        ("entry", "time", "what", "by"),
        [
            (
                entry.number,
                local(entry.at, zone),
                f"{entry.kind} ({CAME_BACK})" if entry.came_back else entry.kind,
                entry.by,
            )
            for entry in one.history
        ],
    )


def released(answer: ReleaseAsked | HoldReleased, zone: str) -> str:
    """A release that was asked for or, where one person is enough, done."""
    number = answer.hold
    if isinstance(answer, HoldReleased):
        return approved(answer, zone)
    return (
        f"The release of hold {number} is asked for; the hold STAYS IN FORCE until a "
        f"second person approves.\n{_approvers(answer)}"
    )


def approved(answer: HoldReleased, zone: str) -> str:
    """A hold that is released and cools off."""
    number = answer.hold
    return (
        f"Hold {number} is released. Its footage stays until "
        f"{local(answer.free_at, zone)} (cooling off), and longer where another hold "
        f"covers it.\nA mistake? Until then `retention hold reinstate {number} --reason "
        '"..."` puts it back in force.'
    )


def rejected(answer: ReleaseRejected, zone: str) -> str:
    """A release that is not to be."""
    return f"Hold {answer.hold} stays in force: its release is rejected."


def amended(answer: HoldAmended, zone: str) -> str:
    """What is said of a hold was corrected."""
    missing = answer.incomplete
    lines = [
        f"Hold {answer.hold} is amended; what it keeps is as it was.",
        *([incomplete(answer.hold, missing)] if missing else ()),
    ]
    return "\n".join(lines)


def reviewed(answer: HoldReviewed, zone: str) -> str:
    """A hold that is still needed."""
    review = local(answer.review, zone)
    return f"Hold {answer.hold} is kept; look at it again by {review}."
