"""`retention status` and `retention plan`: one screen each, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import click

from retention.cli.base import Session, with_session
from retention.cli.display import (
    alarm,
    clock_in_doubt,
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
from retention.model.answers.policy import ProposalShown
from retention.model.answers.status import (
    DeletionPlan,
    DueOnDay,
    HeadMemory,
    KeptPastPeriod,
    NotDeleted,
    PeriodPreview,
    PlanWaiting,
    RootStatus,
    Status,
)
from retention.model.errors import AttentionError, GuardError

REASONS, ALARMS, ROOTS, WAITING = 2, 12, 6, 8
"""Lines of each on one screen of 40."""

LINE = 400
"""Characters of a reason there: steps to take, which are longer, `alarm show` has."""


@click.command("status")
@click.option("--all", "everything", is_flag=True, help="All lines, not one screen.")
@with_session
def status(session: Session, *, everything: bool) -> int:
    """One screen: deleting or why not, alarms, overdue, holds, roots.

    The worst comes first; `--all` shows what one screen has no room for.

    \b
    Example:
      retention status
      retention status --all
      retention status --json

    Exit status 0: nothing needs a person; 3: the service is not running; 6: deletion is
    stopped, or a promise is broken (overdue, held footage lost); 8: something else
    needs a person.
    """
    answer = session.ask("status", Status)
    session.answer(answer, partial(render, everything=everything))
    return exit_status(answer)


def exit_status(answer: Status) -> int:
    """As `--help` says."""
    ranks = {one.rank for one in answer.alarms}
    if not answer.deleting or answer.overdue.recordings or ranks & {"stops", "broken"}:
        return GuardError.exit_status
    return AttentionError.exit_status if ranks or any(_waiting(answer, "UTC")) else 0


def render(answer: Status, zone: str, *, everything: bool) -> str:
    roots = sorted(
        answer.roots, key=lambda one: not (one.overdue.recordings or one.failed)
    )
    shown = roots if everything else roots[:ROOTS]
    parts = [
        "\n".join(
            [
                *_headline(answer, zone, everything),
                *clock_in_doubt(answer.clock_in_doubt),
            ]
        ),
        "\n".join(_few(list(_alarms(answer, zone, everything)), ALARMS, everything)),
        pairs(_figures(answer, zone)),
        _roots(shown, zone, len(roots) - len(shown)),
        "\n".join(_few(list(_attention(answer, zone)), WAITING, everything)),
    ]
    return "\n\n".join(part for part in parts if part)


def _few(lines: list[str], most: int, everything: bool) -> list[str]:
    """No more than one screen has room for."""
    if everything or len(lines) <= most:
        return lines
    rest = len(lines) - most + 1
    return [
        *lines[: most - 1],
        f"... and {number(rest)} more: `retention status --all`",
    ]


def _brief(text: str, everything: bool) -> str:
    """As much of a reason as one screen has room for, in whole sentences."""
    if everything or len(text) <= LINE:
        return text
    begun = text[:LINE]
    return f"{begun[: max(begun.rfind('. '), begun.rfind('; '), LINE // 2)]} ..."


def _headline(answer: Status, zone: str, everything: bool) -> Iterator[str]:
    late = answer.overdue
    overdue = f"{counted(late.recordings, 'recording')} overdue, {size(late.bytes)}"
    if answer.deleting:
        yield good("Deleting what is due.")
        if late.recordings:
            yield alarm(f"{overdue}.")
        return
    for why in answer.why_not[:REASONS]:
        brief = _brief(sentence(why, zone), everything)
        yield alarm(f"NOT DELETING: {brief}{'' if brief.endswith(' ...') else '.'}")
    if len(answer.why_not) > REASONS:
        more = counted(len(answer.why_not) - REASONS, "more reason")
        yield f"... and for {more}."
    serious = late.recordings or any(one.rank == "stops" for one in answer.alarms)
    yield (f"{overdue}. Call {safe(answer.contact)}." if serious else f"{overdue}.")


def _alarms(answer: Status, zone: str, everything: bool) -> Iterator[str]:
    """A line each, the worst first; what to do, `alarm show` tells."""
    for one in answer.alarms:
        where = f" {safe(one.scope)}" if one.scope else ""
        how = "" if one.number is None else f"; `retention alarm show {one.number}`"
        why = _brief(sentence(one.detail, zone), everything)
        line = f"ALARM {one.alarm}{where}: {why}{how}"
        yield alarm(line) if one.rank != "person" else line


def _figures(answer: Status, zone: str) -> list[tuple[str, Any]]:
    holds, policy = answer.holds, answer.policy
    return [
        ("site", f"{answer.site}, {local(answer.at, zone)}"),
        (
            "oldest footage not under hold or in doubt",
            local(answer.oldest_unheld, zone),
        ),
        (
            "holds",
            f"{holds.active} active, {holds.cooling_off} cooling off, "
            f"{holds.review_due} with a review due, {holds.incomplete} "
            f"incomplete, {holds.pending_release} with a release to approve",
        ),
        *_held_compared(answer, zone),
        (
            "retention period",
            f"{counted(policy.days, 'day')} (policy {policy.version})",
        ),
        ("audit log", f"{_entries(answer.log_entries)}, {_signed(answer)}"),
        *(("its heads are known", _memory(one, zone)) for one in answer.outside_memory),
    ]


def _held_compared(answer: Status, zone: str) -> Iterator[tuple[str, str]]:
    """The root in which that was longest ago; nothing where no hold keeps anything."""
    if answer.roots and (answer.holds.active or answer.holds.cooling_off):
        last = min(answer.roots, key=lambda one: one.held_compared or "")
        when = local(last.held_compared, zone, "not yet")
        yield "held footage looked at", f"{when} ({safe(last.root)})"


def _signed(answer: Status) -> str:
    size = answer.log_signed
    return f"signed to entry {size - 1}" if size else "none signed yet"


def _memory(one: HeadMemory, zone: str) -> str:
    """A place that remembers a signed head, and how old that is."""
    where = one.where if one.path is None else f"{one.where}, {one.path}"
    if not one.entries:
        text = "none read yet"
    else:
        text = f"to entry {one.entries - 1}, {local(one.written, zone)}"
    return f"{where}: {text}" + (f" ({one.fault})" if one.fault else "")


def _entries(count: int) -> str:
    return f"{number(count)} {'entry' if count == 1 else 'entries'}"


def _roots(roots: list[RootStatus], zone: str, more: int) -> str:
    if not roots:
        return "No footage root is taken in: `retention root adopt NAME`."
    headings = (
        *("root", "recordings", "overdue", "in doubt", "failed", "next due"),
        *("read last", "path"),
    )
    rows = [
        (
            one.root,
            number(one.recordings),
            number(one.overdue.recordings),
            number(one.quarantined),
            number(one.failed),
            local(one.next_due, zone),
            local(one.scanned, zone, "not yet"),
            one.path,
        )
        for one in roots
    ]
    rest = f"\n... and {counted(more, 'root')} more: `retention status --all`"
    return table(headings, rows) + (rest if more else "")


def _waiting(answer: Status, zone: str) -> Iterator[str]:
    """What waits for a person, a line each."""
    yield from _plans(answer.plans_waiting)
    for text in answer.times_in_doubt:
        yield f"Doubtful: {sentence(text, zone)}; see `retention recording list`."
    yield from _people(answer, zone)
    if answer.holds.review_due:
        yield (
            f"Review due: {counted(answer.holds.review_due, 'hold')}; see `retention "
            "hold list`."
        )


def _attention(answer: Status, zone: str) -> Iterator[str]:
    """What waits, and what is to be known."""
    yield from _waiting(answer, zone)
    for name in answer.policy.overrides_of_unknown_cameras:
        yield f'Configuration: [camera."{safe(name)}"] is no camera of today.'
    for one in answer.roots:
        if one.recorder_deletes_after_days is not None:
            yield (
                f"Recorder: footage in {safe(one.root)} vanishes after some "
                f"{counted(one.recorder_deletes_after_days, 'day')}, not by this program."
            )
    for files in answer.unknown:
        if files.overdue:
            continue  # an alarm says it
        yield (
            f"Not ours: {counted(files.files, 'file')} ({size(files.bytes)}) in "
            f"{safe(files.root)}/{safe(files.directory)}: {safe(files.reason)}, such "
            f"as {safe(files.example)}."
        )
    if all(one.where != "second directory" for one in answer.outside_memory):
        yield (
            "Audit log: no memory outside this machine (log_copy is not set): hand a "
            "checkpoint out, `retention audit checkpoint --print`."
        )
    if not answer.two_person_release:
        yield "One person can release a hold here (release_requires_two_people = false)."
    elif not answer.require_login_uid:
        yield (
            "One person with two accounts can release a hold here (require_login_uid = "
            "false)."
        )


def _people(answer: Status, zone: str) -> Iterator[str]:
    """What waits for a second person or a ruling, and who can give it."""
    able = ", ".join(map(safe, answer.supervisors)) or "nobody is one now"
    for one in answer.releases_waiting:
        yield (
            f"Waiting: release of hold {one.hold}, asked for by {safe(one.by)}; a "
            f"supervisor ({able}) types `retention hold approve {one.hold}` or "
            "`hold reject`."
        )
    for proposal in answer.policy.proposals:
        yield _proposal(proposal, able)
    for disk in answer.root_replacements_waiting:
        yield (
            f"Waiting: another disk for root {safe(disk.root)}, asked for by "
            f"{safe(disk.by)}; another administrator or a supervisor types `retention "
            f"root replace {safe(disk.root)}` until {local(disk.until, zone)}."
        )
    for change in answer.cameras_under_hold:
        numbers = ", ".join(map(str, change.holds))
        yield alarm(
            f"Under hold: camera {safe(change.camera)} was {change.change} while hold "
            f"{numbers} covers it; see `retention hold show {change.holds[0]}`, then "
            f'`retention hold review {change.holds[0]} --reason "..."`.'
        )


CHANGES = 5
"""Changes of a proposal that its line names."""


def _proposal(one: ProposalShown, able: str) -> str:
    found = list(sentences(one))
    more = len(found) - CHANGES
    changes = "; ".join(found[:CHANGES]) + (f"; and {number(more)} more" * (more > 0))
    if one.state == "rejected":
        return (
            f"Rejected: proposal {one.proposal} of the configuration ({changes}); "
            "not applied, correct the configuration."
        )
    if one.proposal is None:
        return (
            f"Waiting: the configuration says {changes}; see `retention policy show`."
        )
    return (
        f"Waiting: proposal {one.proposal} of the configuration ({changes}), not "
        f"applied until a supervisor ({able}) types `retention policy approve "
        f"{one.proposal}`; see `retention policy show`."
    )


def _plans(waiting: list[PlanWaiting]) -> Iterator[str]:
    for one in waiting:
        yield (
            f"Waiting: plan {one.plan} of root {safe(one.root)}, "
            f"{counted(one.recordings, 'recording')}, {size(one.bytes)}; look at "
            f"`retention plan`, then `retention deletion approve {one.plan}`."
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
    answer = session.ask("plan", DeletionPlan, ahead=ahead, retention=retention)
    session.answer(answer, _plan)


def _plan(answer: DeletionPlan, zone: str) -> str:
    due, blocked, ahead = answer.due, answer.blocked, answer.ahead
    parts = [
        *clock_in_doubt(answer.clock_in_doubt),
        f"Due now: {_sum(due)} (no hold applies, and the period of "
        f"{counted(answer.days, 'day')}, or the camera's own, is over)."
        + (f"\n{_by_camera(due)}" if due else ""),
        "\n".join(_failed(one, zone) for one in answer.failed),
        f"Past its period, but kept under holds: {_sum(blocked)}."
        + (f"\n{_held(blocked)}" if blocked else ""),
    ]
    if answer.until != answer.at:
        parts.append(
            f"Falls due until {local(answer.until, zone)}: {_sum(ahead)}."
            + (f"\n{_by_day(ahead)}" if ahead else "")
        )
    if answer.preview is not None:
        parts.append(_preview(answer.preview, answer.days))
    parts.append("\n".join(_plans(answer.plans_waiting)))
    return "\n\n".join(part for part in parts if part)


def _failed(one: NotDeleted, zone: str) -> str:
    return alarm(
        f"Due, but could not be deleted in {safe(one.root)}: "
        f"{counted(one.recordings, 'recording')} ({safe(one.why)}), tried again at "
        f"{local(one.retry_at, zone)}."
    )


def _preview(would: PeriodPreview, days: int) -> str:
    """What a shorter period would make due; cameras with their own keep it."""
    asked = would.days
    if asked >= days:
        return (
            f"With {counted(asked, 'day')} nothing more would be due: {days} are in "
            "force."
        )
    text = f"With {counted(asked, 'day')} instead of {days}, also due: {total(would)}."
    return f"{text}\n{by_camera(would.cameras)}" if would.cameras else text


def _sum(lines: Sequence[DueOnDay | KeptPastPeriod]) -> str:
    count = sum(one.recordings for one in lines)
    if not count:
        return "nothing"
    return f"{counted(count, 'recording')}, {size(sum(one.bytes for one in lines))}"


def _by_camera(lines: list[DueOnDay]) -> str:
    return table(
        ("root", "camera", "location", "recordings", "size"),
        [
            (
                one.root,
                one.camera,
                one.location,
                number(one.recordings),
                size(one.bytes),
            )
            for one in lines
        ],
    )


def _by_day(lines: list[DueOnDay]) -> str:
    return table(
        ("day", "root", "camera", "location", "recordings", "size"),
        [
            (
                one.day,
                one.root,
                one.camera,
                one.location,
                number(one.recordings),
                size(one.bytes),
            )
            for one in lines
        ],
    )


def _held(lines: list[KeptPastPeriod]) -> str:
    return table(
        ("root", "camera", "recordings", "size", "holds"),
        [
            (
                one.root,
                one.camera,
                number(one.recordings),
                size(one.bytes),
                ", ".join(str(hold) for hold in one.holds),
            )
            for one in lines
        ],
    )
