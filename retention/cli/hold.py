"""`retention hold`: keep footage as evidence, see what is kept, ask for its release."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import (
    alarm,
    counted,
    length,
    local,
    number,
    pairs,
    safe,
    size,
    table,
)

NOT_ALL = 7
"""Exit status: done, but not all (or nothing) of what was asked is preserved."""

NEEDED = (
    ("from", "since"),
    ("kind", "kind"),
    ("reference", "reference"),
    ("reason", "reason"),
)
KINDS = ("police", "sar", "court", "insurance", "internal", "preservation")


@group("hold")
def hold() -> None:
    """Keep footage as evidence: place | list | release.

    \b
    Example:
      retention hold place 1001 --from "yesterday 21:00" --to "yesterday 23:30" \\
          --kind police --reference "16*123456" --reason "assault in Market Place"
    """


@hold.command("place")
@click.argument("cameras", nargs=-1, required=True, metavar="CAMERA...")
@click.option("--from", "since", metavar="TIME", help="First instant.  [required]")
@click.option(
    "--to",
    "until",
    metavar="TIME",
    help="Instant after the last; without it the hold goes on until it is released.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="Who needs it; sar is a subject access request.  [required]",
)
@click.option(
    "--reference", help="Crime, case or request number, as given.  [required]"
)
@click.option("--reason", help="Why, in a few words.  [required]")
@click.option("--requester", help="Who asked: name and number of the officer.")
@click.option(
    "--review", metavar="TIME", help="When to look at it again; else 90 days from now."
)
@click.option(
    "--margin",
    metavar="DURATION",
    help="Kept before and after as well; else clock_tolerance. 0 is exact.",
)
@with_session
def place(session: Session, cameras: tuple[str, ...], **given: str | None) -> int:
    """Keep all recordings of CAMERA... in a stretch of time until released.

    A camera is today's published id, or a pattern such as '10*' (in quotes). Nothing
    that overlaps the stretch is deleted by this program from this moment on.

    \b
    Example:
      retention hold place 1001 1002 --from "yesterday 21:00" --to "yesterday 23:30" \\
          --kind police --reference "16*123456" --requester "PC 4321 Singh" \\
          --reason "assault in Market Place"

    Exit status 7: placed, but nothing of a camera is there to keep, or the disks were
    not read up to the end of the time asked for.
    """
    _refuse_incomplete(given)
    answer = session.ask("hold.place", cameras=list(cameras), **given)
    session.answer(answer, _placed)
    return NOT_ALL if _empty(answer) or answer["unread"] else 0


def _refuse_incomplete(given: dict[str, str | None]) -> None:
    """All that is missing at once: the caller's patience is short at 3 a.m."""
    missing = [f"--{option}" for option, name in NEEDED if given[name] is None]
    if missing:
        raise click.UsageError(f"Missing: {', '.join(missing)}.")


def _empty(answer: Answer) -> list[str]:
    """Cameras of which nothing is there, though the time asked for has begun."""
    if answer["asked"]["since"] > answer["in_force_since"]:
        return []
    return [one["camera"] for one in answer["cameras"] if not one["recordings"]]


def _placed(answer: Answer, zone: str) -> str:
    asked, margin = answer["asked"], answer["margin_seconds"]
    facts = [
        ("asked from", local(asked["since"], zone)),
        ("to", local(asked["until"], zone, "its release")),
    ]
    if margin:
        facts += [
            (f"kept from (margin {length(margin)})", local(answer["since"], zone)),
            ("to", local(answer["until"], zone, "its release")),
        ]
    facts.append(("review by", local(answer["review"], zone)))
    since = local(answer["in_force_since"], zone)
    lines = [
        f"Hold {answer['hold']} is in force since {since}: "
        f"{counted(answer['recordings'], 'recording')}, {size(answer['bytes'])}.",
        pairs(facts),
        "",
        _cameras(answer),
        "",
        *(
            alarm(f"Nothing of camera {safe(camera)} from that time is here to keep.")
            for camera in _empty(answer)
        ),
        *_unread(answer, zone),
        *_in_doubt(answer),
        *(alarm(f"Doubtful: {safe(text)}.") for text in answer["times_in_doubt"]),
        f"Note: {safe(answer['note'])}.",
    ]
    return "\n".join(lines)


def _unread(answer: Answer, zone: str) -> list[str]:
    if not answer["unread"]:
        return []
    since = local(answer["read_until"], zone, "the beginning")
    return [
        alarm(
            f"Not counted: what recorders wrote since {since}, which nobody has read "
            "yet. It is held as well, once the service is started and reads it."
        )
    ]


def _in_doubt(answer: Answer) -> list[str]:
    count = answer["in_doubt"]
    if not count:
        return []
    return [
        f"{counted(count, 'recording')} of these only since the times are in doubt."
    ]


def _cameras(answer: Answer) -> str:
    return table(
        ("camera", "location", "recordings", "size"),
        [
            (
                one["camera"],
                one["location"],
                number(one["recordings"]),
                size(one["bytes"]),
            )
            for one in answer["cameras"]
        ],
    )


@hold.command("list")
@click.option("--all", "all_", is_flag=True, help="Released ones as well.")
@click.option("--camera", metavar="ID", help="Only those that cover this camera.")
@with_session
def list_(session: Session, all_: bool, camera: str | None) -> None:
    """What is kept, for whom, until when; reviews that are past come first.

    \b
    Example:
      retention hold list
      retention hold list --camera 1001 --all
    """
    session.answer(session.ask("hold.list", all=all_, camera=camera), _holds)


def _holds(answer: Answer, zone: str) -> str:
    holds = sorted(answer["holds"], key=lambda one: not one["review_due"])
    if not holds:
        return "No hold."
    overdue = sum(one["review_due"] for one in holds)
    lines = [f"{counted(len(holds), 'hold')}."]
    if overdue:
        lines.append(alarm(f"{counted(overdue, 'review')} due: look at them."))
    return "\n\n".join(["\n".join(lines), *(_hold(one, zone) for one in holds)])


def _hold(one: Answer, zone: str) -> str:
    """A few short lines: three instants in one row would not fit a terminal."""
    who = f", asked for by {safe(one['requester'])}" if one["requester"] else ""
    until = local(one["until"], zone, "its release")
    lines = [
        f"hold {one['hold']}  {_state(one)}  {one['kind']} {safe(one['reference'])}",
        f"  cameras    {safe(_some(one['cameras']))}",
        f"  kept from  {local(one['since'], zone)} to {until}",
        f"  why        {safe(one['reason'])}{who}",
    ]
    if one["free_at"] is None:
        lines.append(f"  review by  {local(one['review'], zone)}")
    else:
        lines.append(f"  free from  {local(one['free_at'], zone)}")
    return "\n".join(lines)


def _state(one: Answer) -> str:
    return "REVIEW DUE" if one["review_due"] else str(one["state"])


def _some(cameras: list[str]) -> str:
    shown = ", ".join(cameras[:4])
    return shown if len(cameras) <= 4 else f"{shown} and {len(cameras) - 4} more"


@hold.command("release")
@click.argument("number_", type=click.IntRange(min=1), metavar="HOLD")
@click.option("--reason", required=True, help="Why it may go, in a few words.")
@with_session
def release(session: Session, number_: int, reason: str) -> None:
    """Let go of a hold; its footage is deleted after the cooling-off time.

    Footage that another hold covers stays. Until cooling off is over nothing is deleted.

    \b
    Example:
      retention hold release 17 --reason "copy handed over, receipt 2026/118"
    """
    session.answer(session.ask("hold.release", hold=number_, reason=reason), _released)


def _released(answer: Answer, zone: str) -> str:
    return (
        f"Hold {answer['hold']} is released; its footage stays until "
        f"{local(answer['free_at'], zone)} (cooling off).\n"
        f"Note: {safe(answer['note'])}."
    )
