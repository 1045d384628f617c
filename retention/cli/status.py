"""`retention status` and `retention plan`: one screen each, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from retention.cli.base import Answer, Session, with_session
from retention.cli.display import (
    alarm,
    counted,
    good,
    local,
    number,
    pairs,
    safe,
    sentence,
    size,
    table,
)
from retention.cli.policy import by_camera, sentences, total
from retention.errors import GuardError


@click.command("status")
@with_session
def status(session: Session) -> int:
    """One screen: deleting or why not, overdue, holds, roots, what needs a person.

    \b
    Example:
      retention status
      retention status --json

    Exit status 3: the service is not running; 6: a guard holds.
    """
    answer = session.ask("status")
    session.answer(answer, _status)
    return GuardError.exit_status if answer["guards"] else 0


def _status(answer: Answer, zone: str) -> str:
    parts = [
        "\n".join(_headline(answer, zone)),
        pairs(_figures(answer, zone)),
        _roots(answer["roots"], zone),
        "\n".join(_attention(answer, zone)),
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(answer: Answer, zone: str) -> Iterator[str]:
    late = answer["overdue"]
    overdue = (
        f"{counted(late['recordings'], 'recording')} overdue, {size(late['bytes'])}"
    )
    if answer["deleting"]:
        yield good("Deleting what is due.")
        if late["recordings"]:
            yield alarm(f"{overdue}.")
    else:
        for why in answer["why_not"]:
            yield alarm(f"NOT DELETING: {sentence(why, zone)}.")
        serious = late["recordings"] or answer["guards"]
        yield (
            f"{overdue}. Call {safe(answer['contact'])}." if serious else f"{overdue}."
        )


def _figures(answer: Answer, zone: str) -> list[tuple[str, Any]]:
    holds, policy = answer["holds"], answer["policy"]
    return [
        ("site", f"{answer['site']}, {local(answer['at'], zone)}"),
        ("oldest footage not under hold", local(answer["oldest_unheld"], zone)),
        (
            "holds",
            f"{holds['active']} active, {holds['cooling_off']} cooling off, "
            f"{holds['review_due']} with a review due, {holds['incomplete']} "
            f"incomplete, {holds['pending_release']} with a release to approve",
        ),
        (
            "retention period",
            f"{counted(policy['days'], 'day')} (policy {policy['version']})",
        ),
        ("audit log", f"{_entries(answer['log_entries'])}, {_signed(answer)}"),
        *(
            ("its heads are known", _memory(one, zone))
            for one in answer["outside_memory"]
        ),
    ]


def _signed(answer: Answer) -> str:
    size = answer["log_signed"]
    return f"signed to entry {size - 1}" if size else "none signed yet"


def _memory(one: Answer, zone: str) -> str:
    """A place that remembers a signed head, and how old that is."""
    where = one["where"] if one["path"] is None else f"{one['where']}, {one['path']}"
    if one["entries"] is None:
        text = "none yet"
    else:
        text = f"to entry {one['entries'] - 1}, {local(one['written'], zone)}"
    return f"{where}: {text}" + (f" ({one['fault']})" if one["fault"] else "")


def _entries(count: int) -> str:
    return f"{number(count)} {'entry' if count == 1 else 'entries'}"


def _roots(roots: list[Answer], zone: str) -> str:
    if not roots:
        return "No footage root is taken in: `retention root adopt NAME`."
    headings = (
        *("root", "recordings", "overdue", "in doubt", "failed", "next due"),
        *("read last", "path"),
    )
    rows = [
        (
            one["root"],
            number(one["recordings"]),
            number(one["overdue"]["recordings"]),
            number(one["quarantined"]),
            number(one["failed"]),
            local(one["next_due"], zone),
            local(one["scanned"], zone, "not yet"),
            one["path"],
        )
        for one in roots
    ]
    return table(headings, rows)


def _attention(answer: Answer, zone: str) -> Iterator[str]:
    """What needs a person, a line each."""
    yield from _plans(answer)
    for text in answer["times_in_doubt"]:
        yield f"Doubtful: {sentence(text, zone)}; see `retention recording list`."
    yield from _people(answer, zone)
    for name in answer["policy"]["overrides_of_unknown_cameras"]:
        yield f'Configuration: [camera."{safe(name)}"] is no camera of today.'
    for one in answer["roots"]:
        if one["recorder_deletes_after_days"] is not None:
            yield (
                f"Recorder: footage in {safe(one['root'])} vanishes after some "
                f"{counted(one['recorder_deletes_after_days'], 'day')}, not by this program."
            )
    for one in answer["unknown"]:
        old = ", OVERDUE" if one["overdue"] else ""
        yield (
            f"Not ours: {counted(one['files'], 'file')} ({size(one['bytes'])}{old}) in "
            f"{safe(one['root'])}/{safe(one['directory'])}: {safe(one['reason'])}, such "
            f"as {safe(one['example'])}."
        )
    if all(one["where"] != "second directory" for one in answer["outside_memory"]):
        yield (
            "Audit log: no memory outside this machine (log_copy is not set): hand a "
            "checkpoint out, `retention audit checkpoint --print`."
        )
    if not answer["two_person_release"]:
        yield "One person can release a hold here (release_requires_two_people = false)."
    elif not answer["require_login_uid"]:
        yield (
            "One person with two accounts can release a hold here (require_login_uid = "
            "false)."
        )


def _people(answer: Answer, zone: str) -> Iterator[str]:
    """What waits for a second person or a ruling, and who can give it."""
    able = ", ".join(map(safe, answer["supervisors"])) or "nobody is one now"
    for one in answer["releases_waiting"]:
        yield (
            f"Waiting: release of hold {one['hold']}, asked for by {safe(one['by'])}; a "
            f"supervisor ({able}) types `retention hold approve {one['hold']}` or "
            "`hold reject`."
        )
    for one in answer["policy"]["proposals"]:
        yield _proposal(one, able)
    for one in answer["root_replacements_waiting"]:
        yield (
            f"Waiting: another disk for root {safe(one['root'])}, asked for by "
            f"{safe(one['by'])}; another administrator or a supervisor types `retention "
            f"root replace {safe(one['root'])}` until {local(one['until'], zone)}."
        )
    for one in answer["cameras_under_hold"]:
        numbers = ", ".join(map(str, one["holds"]))
        yield alarm(
            f"Under hold: camera {safe(one['camera'])} was {one['change']} while hold "
            f"{numbers} covers it; see `retention hold show {one['holds'][0]}`, then "
            f'`retention hold review {one["holds"][0]} --reason "..."`.'
        )


def _proposal(one: Answer, able: str) -> str:
    changes = "; ".join(sentences(one))
    if one["state"] == "rejected":
        return (
            f"Rejected: proposal {one['proposal']} of the configuration ({changes}); "
            "not applied, correct the configuration."
        )
    if one["proposal"] is None:
        return (
            f"Waiting: the configuration says {changes}; see `retention policy show`."
        )
    return (
        f"Waiting: proposal {one['proposal']} of the configuration ({changes}), not "
        f"applied until a supervisor ({able}) types `retention policy approve "
        f"{one['proposal']}`; see `retention policy show`."
    )


def _plans(answer: Answer) -> Iterator[str]:
    for one in answer["plans_waiting"]:
        yield (
            f"Waiting: plan {one['plan']} of root {safe(one['root'])}, "
            f"{counted(one['recordings'], 'recording')}, {size(one['bytes'])}; look at "
            f"`retention plan`, then `retention deletion approve {one['plan']}`."
        )


@click.command("plan")
@click.option(
    "--ahead", metavar="DURATION", help="Also what falls due in this time, such as 7d."
)
@click.option(
    "--retention",
    type=int,
    metavar="DAYS",
    help="Also what would be due if the retention period were so many days.",
)
@with_session
def plan(session: Session, ahead: str | None, retention: int | None) -> None:
    """What is due now and why; what is blocked, and by which holds.

    Deletes nothing.

    \b
    Example:
      retention plan
      retention plan --ahead 7d
      retention plan --retention 21
    """
    session.answer(session.ask("plan", ahead=ahead, retention=retention), _plan)


def _plan(answer: Answer, zone: str) -> str:
    due, blocked, ahead = answer["due"], answer["blocked"], answer["ahead"]
    parts = [
        f"Due now: {_sum(due)} (no hold applies, and the period of "
        f"{counted(answer['days'], 'day')}, or the camera's own, is over)."
        + (f"\n{_by_camera(due)}" if due else ""),
        f"Past its period, but kept under holds: {_sum(blocked)}."
        + (f"\n{_held(blocked)}" if blocked else ""),
    ]
    if answer["until"] != answer["at"]:
        parts.append(
            f"Falls due until {local(answer['until'], zone)}: {_sum(ahead)}."
            + (f"\n{_by_day(ahead)}" if ahead else "")
        )
    if answer["preview"] is not None:
        parts.append(_preview(answer["preview"], answer["days"]))
    parts.append("\n".join(_plans(answer)))
    return "\n\n".join(part for part in parts if part)


def _preview(would: Answer, days: int) -> str:
    """What a shorter period would make due; cameras with their own keep it."""
    asked = would["days"]
    if asked >= days:
        return (
            f"With {counted(asked, 'day')} nothing more would be due: {days} are in "
            "force."
        )
    text = f"With {counted(asked, 'day')} instead of {days}, also due: {total(would)}."
    return f"{text}\n{by_camera(would['cameras'])}" if would["cameras"] else text


def _sum(lines: list[Answer]) -> str:
    count = sum(one["recordings"] for one in lines)
    if not count:
        return "nothing"
    return f"{counted(count, 'recording')}, {size(sum(one['bytes'] for one in lines))}"


def _by_camera(lines: list[Answer]) -> str:
    return table(
        ("root", "camera", "location", "recordings", "size"),
        [
            (
                one["root"],
                one["camera"],
                one["location"],
                number(one["recordings"]),
                size(one["bytes"]),
            )
            for one in lines
        ],
    )


def _by_day(lines: list[Answer]) -> str:
    return table(
        ("day", "root", "camera", "location", "recordings", "size"),
        [
            (
                one["day"],
                one["root"],
                one["camera"],
                one["location"],
                number(one["recordings"]),
                size(one["bytes"]),
            )
            for one in lines
        ],
    )


def _held(lines: list[Answer]) -> str:
    return table(
        ("root", "camera", "recordings", "size", "holds"),
        [
            (
                one["root"],
                one["camera"],
                number(one["recordings"]),
                size(one["bytes"]),
                ", ".join(str(hold) for hold in one["holds"]),
            )
            for one in lines
        ],
    )
