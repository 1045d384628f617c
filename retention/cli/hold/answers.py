"""The answer to placing or widening a hold, as a tired person reads it: the verdict
first, what is missing before what is there, and what to do about it."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from retention.cli.base import Session
from retention.cli.display import (
    alarm,
    clock_in_doubt,
    counted,
    good,
    instant,
    length,
    local,
    number,
    pairs,
    safe,
    sentence,
    size,
    table,
    working,
)
from retention.model.answers.alarm import AlarmShown
from retention.model.answers.hold import (
    AnyStretch,
    GoneStretch,
    HeldCamera,
    HoldExtended,
    HoldPlaced,
    HoldStretch,
    Inspection,
    OpenStretch,
    WhatHoldKeeps,
)
from retention.model.coverage import DELETING, QUARANTINED
from retention.model.localtime import format_duration, format_utc
from retention.model.values import SECOND

NOT_ALL = 7
"""Exit status: done, but not all (or nothing) of what was asked is preserved."""

OPEN = "its release"
"""The end of a hold that has none."""

_FEW = 6
_MOST_ALARMS = 8

Keeps = TypeVar("Keeps", bound=WhatHoldKeeps)

Stretches = Callable[[HeldCamera], Sequence[AnyStretch]]

_GONE: tuple[tuple[Stretches, str], ...] = (
    (lambda one: one.deleted, "Already deleted by this program"),
    (lambda one: one.lost, "Lost: it vanished, and not by this program"),
    (lambda one: one.no_recording_seen, "No recording was seen"),
    (lambda one: one.not_known, "Not known whether there is or was a recording"),
)
_PENDING = {
    QUARANTINED: "Kept, but its times are in doubt: whether it is of this time is not "
    "certain",
    DELETING: "Being deleted as the hold came: the outcome follows",
}
_COMING = "Not there yet, or not read yet: the hold covers it as it comes"
"""What is pending, by its reason; any other is still to come."""


def give(
    session: Session,
    verb: str,
    kind: type[Keeps],
    request: dict[str, Any],
    text: Callable[[Keeps, str], str],
) -> int:
    """Ask for something that only keeps more, print what it keeps; the exit status."""
    with working("asking the service"):
        answer = session.ask(verb, kind, **request)
    session.answer(answer, text)
    return status(answer)


def give_place(session: Session, request: dict[str, Any]) -> int:
    """The same for `hold.place`."""
    patterns = () if request.get("location") else request.get("cameras", ())
    text = partial(placed, typed=patterns)
    return give(session, "hold.place", HoldPlaced, request, text)


def status(answer: WhatHoldKeeps) -> int:
    """The exit status that this answer deserves."""
    return 0 if answer.all_preserved else NOT_ALL


def placed(answer: HoldPlaced, zone: str, typed: Sequence[str] = ()) -> str:
    """What a hold keeps and what it can't, camera by camera.

    `typed`: the ids and patterns that were asked for, where nothing else was.
    """
    told = _told(_placed(answer, zone), answer, zone)
    return "\n".join([told, *_not_typed(answer, typed)])


def extended(answer: HoldExtended, zone: str) -> str:
    """The same of a hold that was widened."""
    number = answer.hold
    if not answer.extended:
        return _told(f"Hold {number} covered all of that before.", answer, zone)
    head = f"Hold {number} is extended, in force from now on."
    if answer.request_dropped:
        head += (
            "\nIts release, which was asked for, came to nothing by this: if it may go "
            f"all the same, `retention hold release {number}` asks anew."
        )
    return _told(head, answer, zone)


def reinstated(answer: WhatHoldKeeps, zone: str) -> str:
    """The same of a hold that was released and is needed again."""
    head = f"Hold {answer.hold} is in force again: its release is undone."
    return _told(head, answer, zone)


def _told(head: str, answer: WhatHoldKeeps, zone: str) -> str:
    parts = [
        f"{head}\n{_verdict(answer)}",
        _times(answer, zone),
        _cameras(answer),
        *_gaps(answer, zone),
        "\n".join(_notes(answer, zone)),
    ]
    return "\n\n".join(part for part in parts if part)


def _placed(answer: HoldPlaced, zone: str) -> str:
    if answer.dry_run:
        return "Dry run: NO hold is placed. A hold like this would do the following."
    since = local(answer.in_force_since, zone)
    if answer.repeated:
        return (
            f"Hold {answer.hold} was placed by this request before: in force since "
            f"{since}."
        )
    return f"Hold {answer.hold} is in force since {since}."


def _verdict(answer: WhatHoldKeeps) -> str:
    total = answer.total
    if answer.all_preserved and not total.recordings:
        return good("Nothing of it is recorded yet: it is protected as it comes.")
    sums = [counted(total.recordings, "recording"), size(total.bytes)]
    if total.seconds:
        sums.insert(1, length(total.seconds))
    kept = f"{', '.join(sums)} protected from deletion by this program."
    if total.empty:
        kept += f" Of these {counted(total.empty, 'file')} of 0 bytes: nothing to see."
    if answer.all_preserved:
        more = any(one.pending for one in answer.cameras)
        return f"{good('All of it so far' if more else 'All of it')}: {kept}"
    if total.recordings:
        part = "NOT ALL of it" if total.seconds else "NONE of it for certain"
        return f"{alarm(part)}: {kept}"
    return alarm("NOTHING of it is protected yet: no recording of it is known.")


def _times(answer: WhatHoldKeeps, zone: str) -> str:
    asked, margin = answer.asked, answer.margin_seconds
    facts = [
        ("asked from", _in_full(asked.since, zone)),
        ("to", _in_full(asked.until, zone)),
        ("that is", _how_long(asked)),
        ("margin", f"{length(margin)} before and after" if margin else "none"),
        ("for", f"{answer.kind} {answer.reference or 'without a reference'}"),
        ("review by", local(answer.review, zone)),
    ]
    return pairs(facts)


def _in_full(text: str | None, zone: str) -> str:
    moment = instant(text)
    if moment is None:
        return OPEN
    return f"{local(text, zone)} ({format_utc(moment - moment % SECOND)})"


def _how_long(asked: HoldStretch) -> str:
    since, until = instant(asked.since), instant(asked.until)
    if since is None or until is None:
        return "open until it is released"
    return format_duration(until - since)


def place_of(location: str, view: str) -> str:
    """Where a camera is and what it looks at."""
    return ", ".join(part for part in (location, view) if part)


def _cameras(answer: WhatHoldKeeps) -> str:
    return table(
        ("camera", "location", "protected", "length", "size"),
        [
            (
                one.camera,
                place_of(one.location, one.view),
                number(one.protected.recordings),
                length(one.protected.seconds),
                size(one.protected.bytes),
            )
            for one in answer.cameras
        ],
    )


def _gaps(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    for stretches, title in _GONE:
        if lines := _grouped(answer.cameras, stretches, zone):
            yield "\n".join([alarm(f"{title}:"), *lines])
    for title in (*_PENDING.values(), _COMING):
        if lines := _grouped(answer.cameras, partial(_pending, title), zone):
            yield "\n".join([f"{title}:", *lines])


def _pending(title: str, one: HeldCamera) -> list[OpenStretch]:
    return [span for span in one.pending if _PENDING.get(span.why, _COMING) == title]


def _grouped(cameras: list[HeldCamera], stretches: Stretches, zone: str) -> list[str]:
    """Cameras with the same stretches together: 104 of them share one future."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in cameras:
        if spans := tuple(_span(span, zone) for span in stretches(one)):
            groups.setdefault(spans, []).append(one.camera)
    return [
        line
        for spans, ids in groups.items()
        for line in (f"  {some(ids)}", *(f"    {span}" for span in spans))
    ]


def _span(span: AnyStretch, zone: str) -> str:
    text = f"{local(span.since, zone)} to {local(span.until, zone, OPEN)}"
    if span.more is not None:
        text = f"{number(span.more)} more within {text}"
    if isinstance(span, OpenStretch):
        return f"{text}: {sentence(span.why, zone)}"
    if isinstance(span, GoneStretch):
        return f"{text}:\n      {_tombstone(span, zone)}"
    return text


def _tombstone(span: GoneStretch, zone: str) -> str:
    """What the log has of recordings that are gone."""
    last = "" if span.entries == 1 else f" (the last of {span.entries} entries)"
    return (
        f"{counted(span.recordings, 'recording')}, {local(span.at, zone)}, "
        f"`retention audit show {span.entry}`{last}"
    )


def some(ids: list[str], few: int = _FEW) -> str:
    """The first few, and how many more there are."""
    shown = safe(", ".join(ids[:few]))
    return shown if len(ids) <= few else f"{shown} and {len(ids) - few} more"


def _notes(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    yield from clock_in_doubt(answer.clock_in_doubt)
    yield from _recorder(answer, zone)
    for part in (_beside, _surplus, _doubt, _follows, _incomplete, _replaced, _others):
        yield from part(answer, zone)
    yield from not_as_catalogued(answer.inspection)
    yield from alarms(answer.alarms, zone)


def alarms(found: Iterable[AlarmShown], zone: str) -> Iterator[str]:
    """The alarms that concern a hold, the worst first, a sentence each; few enough to
    be read."""
    told = list(found)
    for one in told[:_MOST_ALARMS]:
        how = "" if one.number is None else f"; `retention alarm show {one.number}`"
        yield alarm(f"ALARM {one.alarm}: {sentence(one.detail, zone)}{how}.")
    if more := told[_MOST_ALARMS:]:
        yield alarm(f"And {counted(len(more), 'alarm')} more: `retention alarm list`.")


def not_as_catalogued(found: Inspection | None) -> Iterator[str]:
    """What a look at the files of a hold found amiss, and what it did not reach."""
    if found is None:
        return
    if found.lost:
        yield alarm(
            f"Looked at just now: {counted(found.lost, 'file')} of it gone, and not by "
            "this program. Find out by whom; `retention audit list --kind "
            "recordings.lost` names them."
        )
    if found.overwritten:
        yield alarm(
            f"Looked at just now: {counted(found.overwritten, 'file')} other than "
            "catalogued (shrunk, overwritten or with older times), and in quarantine "
            "now: `retention recording list --state quarantined`."
        )
    if found.written_on:
        yield f"{counted(found.written_on, 'file')} of it being written just now."
    if found.unreadable:
        yield alarm(
            f"{counted(found.unreadable, 'file')} of it can't be read: whether that is "
            "there is not known."
        )
    if found.not_looked_at:
        yield (
            f"{counted(found.not_looked_at, 'file')} of it not looked at now, "
            f"{number(found.files)} were: too many for one answer. What is held is "
            "compared with the disk by and by."
        )
    if roots := [f"{one.root} ({one.why})" for one in found.roots_not_looked_at]:
        yield alarm(
            f"Nothing was looked at in {some(roots)}: what is said of it is what the "
            "catalogue has."
        )


def _recorder(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    """What the recorder's own clean-up, which a hold does not stop, takes first."""
    kept = [one for one in answer.cameras if one.protected.recordings]
    unknown = [c.camera for c in kept if not c.recorder_deletes.known]
    told = [
        (c.recorder_deletes.first_at, c.camera)
        for c in kept
        if c.recorder_deletes.first_at is not None
    ]
    if kept or not answer.all_preserved:
        yield "A hold does not stop the recorder's own clean-up."
    if told:
        first, camera = min(told, key=lambda pair: instant(pair[0]) or 0)
        yield (
            f"The recorder itself deletes the first of this at {local(first, zone)} "
            f"(camera {safe(camera)}): have a copy made before then."
        )
    if unknown:
        yield alarm(
            f"When the recorder itself deletes is not known for {some(unknown)}: have "
            "a copy made now."
        )


def _surplus(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    if surplus := answer.total.surplus_seconds:
        yield (
            f"{length(surplus)} more than asked for is kept (surplus): the margin, and "
            "files that are longer than the window."
        )


def _beside(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    """Files that lie with the recordings and that no hold can keep."""
    for camera in answer.cameras:
        for one in camera.files_beside[:_FEW]:
            yield alarm(
                f"Beside the recordings of camera {safe(camera.camera)}: "
                f"{counted(one.files, 'file')}, {size(one.bytes)}, that no hold keeps "
                f"({sentence(one.reason, zone)}), such as {safe(one.example)} in "
                f"{safe(one.root)}."
            )


def _doubt(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    if count := answer.total.in_doubt:
        yield (
            f"{counted(count, 'recording')} of these only since the times are in doubt."
        )
    for text in answer.times_in_doubt:
        yield alarm(f"Doubtful: {sentence(text, zone)}.")


def _follows(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    if count := answer.outcome_follows:
        yield alarm(
            f"{counted(count, 'file')} being deleted as the hold came: the outcome is "
            "in the log in a moment, `retention audit list --kind recordings.deleted`."
        )


def _incomplete(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    if missing := answer.incomplete:
        yield incomplete(answer.hold or "HOLD", missing)


def incomplete(hold: int | str, missing: list[str]) -> str:
    """What a hold still lacks, and the command that adds it."""
    options = " ".join(f"--{name} ..." for name in missing)
    return alarm(
        f"Incomplete: add the {' and the '.join(missing)} with "
        f"`retention hold amend {hold} {options}`."
    )


def _replaced(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    """What became of the mistyped hold, which is in force until a second person agrees."""
    replaced = answer.replaced if isinstance(answer, HoldPlaced) else None
    if replaced is None:
        return
    number = replaced.hold
    if replaced.release_requested:
        yield (
            f"The release of hold {number} is asked for; it stays in force until a "
            f"supervisor runs `retention hold approve {number}`."
        )
    else:
        why = sentence(replaced.why or "", zone)
        yield alarm(f"The release of hold {number} is NOT asked for: {why}.")


def _not_typed(answer: WhatHoldKeeps, typed: Sequence[str]) -> Iterator[str]:
    """A camera is held too that nobody typed: an id meant it within the time asked for."""
    if typed:
        for one in answer.cameras:
            if not any(fnmatch.fnmatchcase(one.camera, text) for text in typed):
                camera = safe(one.camera)
                yield alarm(
                    f"Camera {camera} ({safe(place_of(one.location, one.view))}) is held too: in that time "
                    "an id that you typed meant it. Which one is meant? See `retention "
                    f"camera show {camera}`."
                )
    ids = [one.camera for one in answer.cameras]
    for camera in sorted({safe(id) for id in ids if ids.count(id) > 1}):
        yield alarm(
            f"The id {camera} meant more than one camera in that time, and all are held. "
            f"Which one is meant? See `retention camera show {camera}`."
        )


def _others(answer: WhatHoldKeeps, zone: str) -> Iterator[str]:
    if same := answer.same_reference:
        yield (
            f"In force with the same reference: hold {some([str(one) for one in same])}. "
            "See `retention hold list`."
        )
