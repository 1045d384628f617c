"""`retention recording`: finished footage files, and rulings on doubtful ones."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import counted, length, local, pairs, safe, size, table

STATES = ("present", "quarantined", "failed", "deleting")


@group("recording")
def recording() -> None:
    """The recordings: list | show | resolve.

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
    session.answer(session.ask("recording.list", **given), _recordings)


def _recordings(answer: Answer, zone: str) -> str:
    found = answer["recordings"]
    if not found:
        return "No recording is catalogued there."
    total = size(sum(one["bytes"] for one in found))
    rows = [
        (
            one["camera"],
            local(one["start"], zone),
            length(one["duration"]),
            size(one["bytes"]),
            one["state"],
            one["root"],
            one["path"],
        )
        for one in found
    ]
    lines = [
        f"{counted(len(found), 'recording')}, {total}.",
        table(("camera", "start", "length", "size", "state", "root", "path"), rows),
    ]
    if answer["more"]:
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
    session.answer(session.ask("recording.show", **given), _shown)


def _shown(answer: Answer, zone: str) -> str:
    found = answer["recordings"]
    if not found:
        return (
            "No recording is catalogued there; `retention audit list --camera ID` says "
            "what was deleted."
        )
    return "\n\n".join(pairs(_facts(one, zone)) for one in found)


def _facts(one: Answer, zone: str) -> list[tuple[str, str]]:
    lines = [
        ("path", f"{one['root']}/{one['path']}"),
        ("camera", one["camera"]),
        ("from", local(one["start"], zone)),
        ("to", local(one["end"], zone)),
        ("length", length(one["duration"])),
        ("size", size(one["bytes"])),
        ("state", one["state"]),
        ("kept under hold", "yes" if one["held"] else "no"),
        ("period ends", local(one["due"], zone)),
        ("key", one["key"]),
    ]
    doubt = one["quarantine"]
    if doubt is not None:
        lines += [
            ("in doubt", doubt["reason"]),
            ("first seen", local(doubt["seen"], zone)),
            ("file changed", local(doubt["mtime"], zone)),
        ]
    failure = one["failure"]
    if failure is not None:
        tried = counted(failure["tries"], "time")
        lines += [
            ("not deleted", f"{failure['reason']} (tried {tried})"),
            ("failing since", local(failure["since"], zone)),
            ("next try", local(failure["next_try"], zone)),
        ]
    if one["stream_quarantined"]:
        lines.append(("stream", "its times look wrong, see `retention status`"))
    return lines


@recording.command("resolve")
@click.argument("path", required=False, metavar="[PATH]")
@click.option("--camera", metavar="ID", help="Instead of a path: all of this camera.")
@click.option("--times-right", is_flag=True, help="The file names say when it was.")
@click.option(
    "--shift",
    metavar="DURATION",
    help="The names are off: add this to them, such as -1h or +1h.",
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
    """Rule on recordings whose times are in doubt: a file, a directory or a camera.

    While in doubt they are kept by any hold on their camera, and are deleted a
    retention period after they were first seen.

    \b
    Example:
      retention recording resolve --camera 1101 --shift -1h \\
          --reason "recorder's clock was not put back on 25 October"
      retention recording resolve nvr1/1101/2026-10-25 --times-right \\
          --reason "files were copied back from a backup"
    """
    if times_right == (shift is not None):
        raise click.UsageError("Say one of --times-right and --shift.")
    ruling = "times_right" if times_right else "shift"
    answer = session.ask("recording.resolve", ruling=ruling, shift=shift, **given)
    session.answer(answer, _resolved)


def _resolved(answer: Answer, zone: str) -> str:
    what = safe(answer["ruling"]).replace("_", " ")
    text = f"Ruled ({what}): {counted(answer['recordings'], 'recording')}."
    streams = len(answer["streams"])
    if streams:
        text += f"\nThe times of {counted(streams, 'stream')} are no longer in doubt."
    return text
