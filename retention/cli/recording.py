"""`retention recording`: finished footage files, and rulings on doubtful ones."""

from __future__ import annotations

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import counted, length, local, pairs, safe, size, table
from retention.model.answers.recording import (
    RecordingDetail,
    RecordingList,
    RecordingsResolved,
    RecordingsShown,
    RulingApproved,
    RulingRejected,
    RulingsWaiting,
    RulingWaiting,
    UncoveredRecording,
)

STATES = ("present", "quarantined", "failed", "deleting")


@group("recording")
def recording() -> None:
    """The recordings: list | show | resolve | requests | approve | reject.

    \b
    Example:
      retention recording list --camera 1101 --from "yesterday 21:00" --to now
    """


@recording.command("list")
@click.option("--camera", metavar="ID", help="Of this camera.")
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant.")
@click.option(
    "--state",
    type=click.Choice(STATES),
    help="In this state; quarantined ones have times that are in doubt.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    metavar="COUNT",
    help="At most; else 1,000.",
)
@with_session
def list_(session: Session, **given: str | int | None) -> None:
    """Recordings that overlap a stretch of time, oldest first.

    What was deleted is in the audit log: `retention audit list --camera ID`.

    \b
    Example:
      retention recording list --camera 1101 --from "24/10/2026 21:00" \\
          --to "24/10/2026 22:00"
      retention recording list --state quarantined
    """
    session.answer(session.ask("recording.list", RecordingList, **given), _recordings)


def _recordings(answer: RecordingList, zone: str) -> str:
    found = answer.recordings
    if not found:
        return "No recording is catalogued there."
    total = size(sum(one.bytes for one in found))
    rows = [
        (
            one.camera,
            local(one.start, zone),
            length(one.duration),
            size(one.bytes),
            one.state,
            one.root,
            one.path,
        )
        for one in found
    ]
    lines = [
        f"{counted(len(found), 'recording')}, {total}.",
        table(("camera", "start", "length", "size", "state", "root", "path"), rows),
    ]
    if answer.more:
        lines.append("There are more: ask for a shorter time, or raise --limit.")
    return "\n".join(lines)


@recording.command("show")
@click.argument("path", required=False, metavar="[PATH]")
@click.option("--camera", metavar="ID", help="Instead of a path: of this camera ...")
@click.option("--at", metavar="TIME", help="... the recording at this instant.")
@with_session
def show(session: Session, **given: str | None) -> None:
    """One recording: its times, whether a hold keeps it, when it is due.

    \b
    Example:
      retention recording show /srv/footage/nvr1/1101/2026-10-24_21-00-00.mp4
      retention recording show --camera 1101 --at "24/10/2026 21:05"
    """
    session.answer(session.ask("recording.show", RecordingsShown, **given), _shown)


def _shown(answer: RecordingsShown, zone: str) -> str:
    found = answer.recordings
    if not found:
        return (
            "No recording is catalogued there; `retention audit list --camera ID` says "
            "what was deleted."
        )
    return "\n\n".join(pairs(_facts(one, zone)) for one in found)


def _facts(one: RecordingDetail, zone: str) -> list[tuple[str, str]]:
    lines = [
        ("path", f"{one.root}/{one.path}"),
        ("camera", one.camera),
        ("from", local(one.start, zone)),
        ("to", local(one.end, zone)),
        ("length", length(one.duration)),
        ("size", size(one.bytes)),
        ("state", one.state),
        ("kept under hold", "yes" if one.held else "no"),
        ("period ends", local(one.due, zone)),
        ("key", one.key),
    ]
    doubt = one.quarantine
    if doubt is not None:
        lines += [
            ("in doubt", doubt.reason),
            ("first seen", local(doubt.seen, zone)),
            ("file changed", local(doubt.mtime, zone)),
        ]
    failure = one.failure
    if failure is not None:
        tried = counted(failure.tries, "time")
        lines += [
            ("not deleted", f"{failure.reason} (tried {tried})"),
            ("failing since", local(failure.since, zone)),
            ("next try", local(failure.next_try, zone)),
        ]
    if one.stream_quarantined:
        lines.append(("stream", "its times look wrong, see `retention status`"))
    return lines


@recording.command("resolve")
@click.argument("path", required=False, metavar="[PATH]")
@click.option("--camera", metavar="ID", help="Instead of a path: all of this camera.")
@click.option(
    "--delivery",
    metavar="ROOT/ID/HOUR",
    help="Instead of a path: what arrived late together, as its alarm is called.",
)
@click.option("--times-right", is_flag=True, help="The file names say when it was.")
@click.option(
    "--shift",
    metavar="DURATION",
    help="The names are off: add this to them, such as -1h or +1h, and to the ends that "
    "the same clock gave.",
)
@click.option("--reason", required=True, help="How that is known, in a few words.")
@click.option("--again", is_flag=True, help="Also what was ruled on before.")
@with_session
def resolve(
    session: Session,
    times_right: bool,
    shift: str | None,
    **given: str | bool | None,
) -> None:
    """Rule on recordings whose times are in doubt: a file, a directory, a camera or a
    late delivery.

    While in doubt they are kept by any hold on their camera, and are deleted a
    retention period after they were first seen.  Where nothing tells until when one was
    recorded, it is kept as if that were the latest, and holds say that it is not known.

    What would leave the cover of a hold by it waits for a second supervisor.

    \b
    Example:
      retention recording resolve --camera 1101 --shift -1h \\
          --reason "recorder's clock was not put back on 25 October"
      retention recording resolve nvr1/1101/2026-10-25 --times-right \\
          --reason "files were copied back from a backup"
      retention recording resolve --delivery nvr1/1101/2026-10-27T08Z \\
          --times-right --reason "the recorder was offline for two days"
    """
    if times_right == (shift is not None):
        raise click.UsageError("Say one of --times-right and --shift.")
    ruling = "times_right" if times_right else "shift"
    answer = session.ask(
        "recording.resolve", RecordingsResolved, ruling=ruling, shift=shift, **given
    )
    session.answer(answer, _resolved)


def _resolved(answer: RecordingsResolved, zone: str) -> str:
    what = safe(answer.ruling).replace("_", " ")
    text = f"Ruled ({what}): {counted(answer.recordings, 'recording')}."
    text += _lifted(answer.streams)
    if answer.waiting is not None:
        text += f"\n\n{ruling_waiting(answer.waiting, zone)}"
    return text


def _lifted(streams: list[int]) -> str:
    if not streams:
        return ""
    return f"\nThe times of {counted(len(streams), 'stream')} are no longer in doubt."


def ruling_waiting(one: RulingWaiting, zone: str) -> str:
    """A ruling that waits, and what it would uncover."""
    holds = ", ".join(map(str, one.holds))
    kept = (
        "until then it keeps them"
        if len(one.holds) == 1
        else "until then these keep them"
    )
    lines = [
        f"Ruling {one.request} ({safe(one.ruling)}) would take "
        f"{counted(one.recordings, 'recording')} out of the cover of hold {holds}: {kept}.",
        f"  {safe(one.requested_by)} asked at {local(one.requested, zone)}: "
        f"{safe(one.reason)}",
        f"  To decide: `retention recording approve {one.request}` or `reject`, by "
        f"{', '.join(map(safe, one.approvers)) or 'another supervisor'}.",
    ]
    if one.approved is not None:
        lines.append(
            f"  It was approved at {local(one.approved, zone)} and broken off."
        )
    rows = [
        (
            row.camera,
            local(row.start, zone),
            local(row.end, zone),
            *_new_times(row, zone),
            ", ".join(map(str, row.holds)),
            f"{safe(row.root)}/{safe(row.path)}",
        )
        for row in one.uncovers
    ]
    names = ("camera", "from", "to", "new from", "new to", "holds", "file")
    lines.append(table(names, rows))
    if one.recordings > len(rows):
        lines.append(f"and {counted(one.recordings - len(rows), 'other')}.")
    return "\n".join(lines)


def _new_times(row: UncoveredRecording, zone: str) -> tuple[str, str]:
    """From when to when; of one whose times were ruled on already only the doubt about
    its stream is left, by which a hold keeps it."""
    if (row.new_start, row.new_end) == (row.start, row.end):
        return "the same", "the same"
    return local(row.new_start, zone), local(row.new_end, zone)


@recording.command("requests")
@with_session
def requests(session: Session) -> None:
    """Rulings that wait for a second person, and what holds would cover no more.

    \b
    Example:
      retention recording requests
    """
    session.answer(session.ask("recording.requests", RulingsWaiting), _requests)


def _requests(answer: RulingsWaiting, zone: str) -> str:
    if not answer.requests:
        return "No ruling waits for a second person."
    return "\n\n".join(ruling_waiting(one, zone) for one in answer.requests)


@recording.command("approve")
@click.argument("number", type=int)
@with_session
def approve(session: Session, number: int) -> None:
    """Approve a ruling that another person asked for; it is carried out as it was shown.

    \b
    Example:
      retention recording approve 4711
    """
    answer = session.ask("recording.approve", RulingApproved, request=number)
    session.answer(answer, _approved)


def _approved(answer: RulingApproved, zone: str) -> str:
    text = (
        f"Ruled ({safe(answer.ruling)}), as ruling {answer.request}: "
        f"{counted(answer.recordings, 'recording')}."
    )
    if answer.changed_meanwhile:
        text += (
            f"\n{counted(answer.changed_meanwhile, 'recording')} changed since it was "
            "asked for: left as they are."
        )
    return text + _lifted(answer.streams)


@recording.command("reject")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why it is not to be.")
@with_session
def reject(session: Session, number: int, reason: str) -> None:
    """Turn down a ruling that waits: its recordings stay in doubt, and held.

    \b
    Example:
      retention recording reject 4711 --reason "the recorder's clock was right"
    """
    answer = session.ask(
        "recording.reject", RulingRejected, request=number, reason=reason
    )
    session.answer(answer, _rejected)


def _rejected(answer: RulingRejected, zone: str) -> str:
    return (
        f"Ruling {answer.request} ({safe(answer.ruling)}) of "
        f"{safe(answer.requested_by)} is rejected: nothing changes."
    )
