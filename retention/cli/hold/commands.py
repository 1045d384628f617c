"""`retention hold`: keep footage as evidence, see what is kept, let go of it by two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from retention.cli import display
from retention.cli.base import Session, group, with_session
from retention.cli.hold import answers, texts
from retention.cli.hold.request import KINDS, TypedTimes, asked_for
from retention.model.answers.hold import (
    HoldAmended,
    HoldExtended,
    HoldList,
    HoldReinstated,
    HoldReleased,
    HoldReviewed,
    HoldShown,
    ReleaseAsked,
    ReleaseRejected,
)

STATES = ("active", "incomplete", "review", "pending", "released", "all")

Command = Callable[..., Any]


@group("hold")
def hold() -> None:
    """Keep footage as evidence: place | list | show | extend | amend | review |
    release | approve | reject | reinstate.

    A release takes two people: one asks (`release`), a supervisor decides (`approve` or
    `reject`). Then the footage cools off for a week, and `reinstate` takes it back.
    Never write names or descriptions of people filmed: reference and reason are enough.

    \b
    Example:
      retention hold place          on a terminal: asks for everything in turn
      retention hold place 1001 --from "yesterday 21:00" --to "yesterday 23:30" \\
          --kind police --officer "PC 4321 Singh" --force "Leicestershire Police" \\
          --reference "26*123456" --reason "assault in Market Place"
    """


def _number(function: Command) -> Command:
    """The hold's number, as every answer and list gives it."""
    argument = click.argument("number", type=click.IntRange(min=1), metavar="HOLD")
    return argument(function)


def _why(text: str) -> Callable[[Command], Command]:
    return click.option("--reason", required=True, help=f"{text}  [required]")


_FROM = click.option("--from", "since", metavar="TIME", help="First instant to keep.")
_TO = click.option("--to", "until", metavar="TIME", help="Instant after the last.")
_UNTIL_RELEASED = click.option(
    "--until-released",
    is_flag=True,
    default=None,
    help="Instead of --to: open, new footage is kept too until the release.",
)
_REVIEW = click.option(
    "--review", metavar="TIME", help="When to look at it again; else after 90 days."
)


@hold.command("place")
@click.argument("cameras", nargs=-1, metavar="[CAMERA]...")
@click.option(
    "--location", metavar="WORDS", help="Instead of CAMERA: all whose place has this."
)
@_FROM
@_TO
@_UNTIL_RELEASED
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="Who needs it; sar is a subject access request.",
)
@click.option("--officer", help="Police: the officer's name and number.")
@click.option("--force", help="Police: which force.")
@click.option("--power", help="Police: power used, such as 'PACE s.19'.")
@click.option("--received", metavar="TIME", help="sar: when the request was received.")
@click.option(
    "--reference", help="Crime, case or request number; police may add it later."
)
@click.option("--requester", help="Other kinds: name and office of who asks.")
@click.option("--reason", help="Why, in a few words.")
@_REVIEW
@click.option(
    "--margin",
    metavar="DURATION",
    help="Kept before and after as well, 28d at most; else clock_tolerance. 0 is exact.",
)
@click.option(
    "--replaces",
    type=click.IntRange(min=1),
    metavar="HOLD",
    help="The mistyped hold that this one is placed instead of: its release is asked for.",
)
@click.option(
    "--dry-run", is_flag=True, default=None, help="The answer only; nothing is placed."
)
@with_session
def place(session: Session, cameras: tuple[str, ...], **given: Any) -> int:
    """Keep all recordings of CAMERA... in a stretch of time until released.

    On a terminal, without options, it asks for everything in turn. A camera is today's
    published id, or a pattern such as '10*' (in quotes). From the moment of the answer
    nothing that overlaps the stretch is deleted by this program; the recorder's own
    clean-up goes on. No names or descriptions of people filmed in any option.

    Times: "2026-10-24 21:00", "24/10/2026 21:00", "2026-10-24T20:00Z", "yesterday
    21:00", now, +2h; the answer says how they were read.

    Needed: CAMERA or --location, --from, --to or --until-released, --kind, --reason;
    police also --officer and --force; sar --received; all but police --reference.

    \b
    Example:
      retention hold place
      retention hold place 1001 1002 --from "yesterday 21:00" --to "yesterday 23:30" \\
          --kind police --officer "PC 4321 Singh" --force "Leicestershire Police" \\
          --reference "26*123456" --reason "assault in Market Place"
      retention hold place --location "market" --from now --to +2h --kind internal \\
          --reference "INC 77" --reason "crowd building up" --dry-run

    Exit status 7: placed, but not all of it (or nothing) is there to keep.
    """
    asked = {"cameras": list(cameras) or None, **given}
    if not any(given.values()) and display.on_terminal() and not session.as_json:
        from retention.cli.hold import (
            asking,  # only a person at a terminal needs it
        )

        return asking.place(session, list(cameras))
    times = TypedTimes.of_this_moment(session)
    request = asked_for(asked, times)
    times.tell(asked)
    return answers.give_place(session, request)


@hold.command("list")
@click.option(
    "--state",
    type=click.Choice(STATES),
    help="Only these; else all but those released and cooled off. review: due for it; "
    "pending: a release waits for approval.",
)
@click.option("--camera", metavar="ID", help="Only those that cover this camera.")
@click.option("--reference", metavar="PART", help="Only where the reference has this.")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@click.option(
    "--after", type=click.IntRange(min=0), metavar="NUMBER", help="Above this number."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="COUNT",
    help="At most; else 1,000.",
)
@with_session
def list_(session: Session, **given: Any) -> None:
    """What is kept, for whom, until when; first what somebody must act on.

    \b
    Example:
      retention hold list
      retention hold list --camera 1001 --state all
      retention hold list --reference "26*123" --json
    """
    asked = {name: value for name, value in given.items() if value is not None}
    session.answer(session.ask("hold.list", HoldList, **asked), texts.holds)


@hold.command("show")
@_number
@with_session
def show(session: Session, number: int) -> None:
    """One hold: all that is known of it, its cameras, what was done about it.

    \b
    Example:
      retention hold show 17
    """
    session.answer(session.ask("hold.show", HoldShown, hold=number), texts.hold)


@hold.command("extend")
@_number
@_FROM
@_TO
@_UNTIL_RELEASED
@click.option(
    "--camera", "cameras", multiple=True, metavar="ID", help="Also this camera; repeat."
)
@click.option("--review", metavar="TIME", help="A later date to look at it again.")
@_why("Why more is needed.")
@with_session
def extend(session: Session, number: int, **given: Any) -> int:
    """Keep more: an earlier --from, a later --to, more cameras, a later review.

    It only ever widens. Less is a release: place the right hold with `retention hold
    place --replaces HOLD`. The answer is that of `place`, for the widened hold.

    \b
    Example:
      retention hold extend 17 --to "2026-10-25 02:30Z" --reason "PC Singh: later too"
      retention hold extend 17 --camera 1003 --reason "suspect's way home"
    """
    asked = {**given, "cameras": list(given["cameras"]) or None}
    if not any(value for name, value in asked.items() if name != "reason"):
        raise click.UsageError(
            "Nothing to extend: give --from, --to, --until-released, --camera or --review."
        )
    times = TypedTimes.of_this_moment(session)
    request = {"hold": number, **times.read(asked)}
    times.tell(asked)
    return answers.give(session, "hold.extend", HoldExtended, request, answers.extended)


@hold.command("amend")
@_number
@click.option("--reference", help="The crime, case or request number.")
@click.option("--officer", help="The officer's name and number.")
@click.option("--force", help="Which police force.")
@click.option("--requester", help="Name and office of who asked.")
@click.option("--reason", help="Why the footage is kept, if that was wrong.")
@with_session
def amend(session: Session, number: int, **given: Any) -> None:
    """Add or correct what is said of a hold; old and new stay on record.

    What it keeps (times, cameras) does not change: see `extend`. No names or
    descriptions of people filmed.

    \b
    Example:
      retention hold amend 17 --reference "26*123456"
    """
    if not any(given.values()):
        raise click.UsageError(
            "Nothing to amend: give --reference, --officer, --force, --requester or "
            "--reason."
        )
    answer = session.ask("hold.amend", HoldAmended, hold=number, **given)
    session.answer(answer, texts.amended)


@hold.command("review")
@_number
@_why("Why it is still needed.")
@_REVIEW
@with_session
def review(session: Session, number: int, reason: str, review: str | None) -> None:
    """Say that a hold is still needed, and when to look at it again.

    Not needed any more: `retention hold release HOLD`. A hold whose date has passed
    stays in force all the same.

    \b
    Example:
      retention hold review 17 --reason "trial is in March" --review "2027-03-31 12:00"
    """
    asked = {"review": review}
    times = TypedTimes.of_this_moment(session)
    request = {"hold": number, "reason": reason, **times.read(asked)}
    times.tell(asked)
    session.answer(session.ask("hold.review", HoldReviewed, **request), texts.reviewed)


@hold.command("release")
@_number
@_why("Why it may go.")
@with_session
def release(session: Session, number: int, reason: str) -> None:
    """Ask for the release of a hold; it stays in force until a supervisor approves.

    Under your own name, without sudo. Also the way out of a hold placed by mistake: the
    reason says so.

    \b
    Example:
      retention hold release 17 --reason "copy handed over, receipt 2026/118"
    """
    answer: ReleaseAsked | HoldReleased = session.ask(
        "hold.release", ReleaseAsked | HoldReleased, hold=number, reason=reason
    )
    session.answer(answer, texts.released)


@hold.command("approve")
@_number
@with_session
def approve(session: Session, number: int) -> None:
    """Approve a release that another person asked for; cooling off begins.

    For supervisors, under their own name and login, without sudo. Look first: `retention
    hold show HOLD`.

    \b
    Example:
      retention hold approve 17
    """
    answer = session.ask("hold.approve", HoldReleased, hold=number)
    session.answer(answer, texts.approved)


@hold.command("reject")
@_number
@_why("Why it must stay.")
@with_session
def reject(session: Session, number: int, reason: str) -> None:
    """Reject a release that was asked for; the hold stays in force.

    \b
    Example:
      retention hold reject 17 --reason "receipt is missing"
    """
    answer = session.ask("hold.reject", ReleaseRejected, hold=number, reason=reason)
    session.answer(answer, texts.rejected)


@hold.command("reinstate")
@_number
@_why("Why it is needed again.")
@with_session
def reinstate(session: Session, number: int, reason: str) -> int:
    """Put a released hold back in force while it still cools off.

    For supervisors. Afterwards its footage may be gone: place a new hold, which says
    what is left.

    \b
    Example:
      retention hold reinstate 17 --reason "released the wrong one"
    """
    request = {"hold": number, "reason": reason}
    return answers.give(
        session, "hold.reinstate", HoldReinstated, request, answers.reinstated
    )
