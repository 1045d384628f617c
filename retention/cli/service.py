"""`retention init | check | run | schema | api | demo`: what its keepers type."""

from __future__ import annotations

from typing import Any

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import (
    alarm,
    counted,
    good,
    local,
    put,
    put_json,
    safe,
    telling,
)
from retention.model.answers.schema import SchemaRepaired
from retention.model.answers.successor import (
    LostHoldsRecorded,
    SuccessorApproved,
    SuccessorAsked,
    SuccessorRejected,
)


@click.command("init")
@with_session
def init(session: Session) -> int:
    """Make catalogue, signing key and the roots' identity files; never overwrites.

    What is there already stays as it is; run it again when what it asks for is mended.

    \b
    Example:
      sudo -u cctv-retention retention init

    Exit status 1: something is left to do, and it is said what.
    """
    from retention.cli.local.init import describe, initialise

    answer = initialise(session.settings)
    session.answer(answer, lambda found, _: describe(found))
    return 1 if answer["unfinished"] else 0


@click.command("check")
@with_session
def check(session: Session) -> int:
    """Configuration and environment: each finding with what to do.

    Changes nothing; run it as the service's user, with its rights.

    \b
    Example:
      sudo -u cctv-retention retention check

    Exit status 1: something must be mended before footage is deleted on time.
    """
    from retention.cli.local.check import findings

    with telling() as progress:
        found = [one._asdict() for one in findings(session.settings, progress)]
    session.answer({"findings": found}, _findings)
    return 1 if any(one["level"] == "error" for one in found) else 0


def _findings(answer: dict[str, Any], zone: str) -> str:
    found = answer["findings"]
    if not found:
        return good("Nothing stands in the way.")
    errors = sum(one["level"] == "error" for one in found)
    lines = [
        f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}.",
    ]
    for one in found:
        level = "error:  " if one["level"] == "error" else "warning:"
        lines.append("")
        lines.append(
            f"{alarm(level) if level.startswith('error') else level} "
            f"{safe(one['what'])}."
        )
        if one["remedy"]:
            remedy = safe(one["remedy"])
            lines.append(f"         {remedy[:1].upper()}{remedy[1:].rstrip('.')}.")
    return "\n".join(lines)


@click.command("run")
@click.pass_obj
def run(session: Session) -> None:
    """Run the daemon in the foreground; systemd starts this.

    \b
    Example:
      systemctl start cctv-retention
      sudo -u cctv-retention retention run
    """
    from retention.service.run import run as run_daemon

    run_daemon(session.settings)


@group("schema")
def schema() -> None:
    """The catalogue: its form, upgrade; its rows against its log, repair; a log that goes
    on where entries are lost, successor.

    \b
    Example:
      sudo -u cctv-retention retention schema upgrade
      retention schema repair --reason "the disk flipped bits, ticket 5531"
    """


@schema.command("repair")
@click.option("--reason", required=True, help="Why, in a few words.")
@with_session
def repair(session: Session, reason: str) -> None:
    """Put into the catalogue's rows what its log has in force and they lack.

    An administrator and a supervisor each type this, in either order, within a day. It
    only adds protection: a hold or a longer period that the rows alone have stays until
    two people release it.

    \b
    Example:
      retention schema repair --reason "the disk flipped bits, ticket 5531"
    """
    session.answer(
        session.ask("schema.repair", SchemaRepaired, reason=reason), _repaired
    )


def _repaired(answer: SchemaRepaired, zone: str) -> str:
    lines = [f"  {safe(one)}" for one in answer.restored]
    if answer.repaired:
        lines.insert(
            0, "Put right as the log has it in force. The rows said otherwise:"
        )
    else:
        who = ", ".join(map(safe, answer.approvers)) or "nobody there is yet"
        lines.insert(0, "The rows protect less than the log says:")
        until = local(answer.until or "", zone)
        lines.append(
            f"A second person types the same until {until}, and they are put right: {who}."
        )
    if answer.unlogged:
        lines.append("Not in the log, and in force until two people release it:")
        lines += [f"  {safe(one)}" for one in answer.unlogged]
    return "\n".join(lines)


@schema.command("upgrade")
@click.option(
    "--anyway",
    is_flag=True,
    help="Also where the rows protect less than the log says: see `schema repair`.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@with_session
def upgrade(session: Session, anyway: bool, dry_run: bool) -> None:
    """Bring an older catalogue up to this program; one that fits stays as it is.

    Stop the daemon and make a copy of the state directory first. The rows, as they would
    be, are compared with the log before anything is changed.

    \b
    Example:
      systemctl stop cctv-retention
      sudo -u cctv-retention retention schema upgrade --dry-run
      sudo -u cctv-retention retention schema upgrade
    """
    from retention.cli.local import offline

    done = offline.upgrade(session.client.config, anyway=anyway, dry_run=dry_run)
    session.answer(done, _upgraded)


def _upgraded(answer: dict[str, Any], zone: str) -> str:
    old, new = answer["from"], answer["to"]
    if old == new:
        text = f"The catalogue has schema {new} and needs no upgrade."
    elif answer["dry_run"]:
        text = f"The catalogue would go from schema {old} to {new}; it stays as it is."
    else:
        text = f"The catalogue went from schema {old} to {new}."
    if not answer["mismatches"]:
        text += "\nIts rows protect all that its log has in force"
        text += f": {len(answer['holds'])} holds." if answer["holds"] else "."
    for one in answer["mismatches"]:
        text += f"\nIts rows protect less than its log says: {safe(one)}."
    return text


@schema.command("successor")
@click.option("--reason", required=True, help="Why, in a few words.")
@click.option("--approve", is_flag=True, help="Agree to the one that was asked for.")
@click.option("--reject", is_flag=True, help="Say no to it.")
@click.option(
    "--holds",
    metavar="NUMBERS",
    help="Once it is open: the holds that stand for those in what is lost.",
)
@click.option("--no-holds", is_flag=True, help="Once it is open: there were none.")
@with_session
def successor(
    session: Session,
    reason: str,
    approve: bool,
    reject: bool,
    holds: str | None,
    no_holds: bool,
) -> None:
    """Go on where entries of the audit log are nowhere: open a successor log.

    The service asks for it (guard catalogue) where a signed head is ahead of everything
    that there is. It takes two people: an administrator types this, a supervisor the
    same with --approve within a day, and the next start opens it. It says which entries
    are lost; all that is there stays, every hold too. Deletion stays off for 7 days, and
    until a supervisor has said which holds were placed in what is lost, or that none
    were.

    \b
    Example:
      retention schema successor --reason "state disk died, backup of last night"
      retention schema successor --approve --reason "no newer copy anywhere"
      retention schema successor --holds 31,32 --reason "from the control room's book"
      retention schema successor --no-holds --reason "none in the book of that day"
    """
    if (approve, reject, holds is not None, no_holds).count(True) > 1:
        raise click.UsageError(
            "--approve, --reject, --holds and --no-holds exclude each other"
        )
    if holds is not None or no_holds:
        named = _numbers(holds or "")
        if bool(named) is no_holds:
            raise click.UsageError("--holds takes numbers of holds: --holds 31,32")
        recorded = session.ask(
            "schema.successor_holds", LostHoldsRecorded, holds=named, reason=reason
        )
        session.answer(recorded, _recorded)
    elif reject:
        said = session.ask("schema.successor_reject", SuccessorRejected, reason=reason)
        session.answer(said, _rejected)
    else:
        verb = "schema.successor_approve" if approve else "schema.successor"
        answer: SuccessorAsked | SuccessorApproved = session.ask(
            verb, SuccessorAsked | SuccessorApproved, reason=reason
        )
        session.answer(answer, _succeeding)


def _numbers(text: str) -> list[int]:
    found = [one.strip() for one in text.split(",") if one.strip()]
    if not all(one.isdecimal() and len(one) < 19 for one in found):
        raise click.UsageError("--holds takes numbers of holds: --holds 31,32")
    return [int(one) for one in found]


def _rejected(answer: SuccessorRejected, zone: str) -> str:
    return f"Rejected (entry {answer.entry} of the audit log)."


def _succeeding(answer: SuccessorAsked | SuccessorApproved, zone: str) -> str:
    first = "" if answer.lost_first is None else f"{answer.lost_first} to "
    lost = f"entries {first or 'up to '}{answer.lost_last} are lost"
    if isinstance(answer, SuccessorApproved):
        return f"Agreed: {lost}. Now {answer.next}."
    able = ", ".join(map(safe, answer.approvers))
    return (
        f"Asked for, not done: {lost}, as {safe(answer.known_from)} shows.\n"
        f"A supervisor ({able or 'nobody is one: add one to the group'}) types "
        '`retention schema successor --approve --reason "..."` until '
        f"{local(answer.until, zone)}."
    )


def _recorded(answer: LostHoldsRecorded, zone: str) -> str:
    which = ", ".join(map(str, answer.holds)) or "none"
    return (
        f"On record: holds placed in what is lost: {which}. Nothing is deleted until "
        f"{local(answer.paused_until, zone)}."
    )


@group("api")
def api() -> None:
    """The local API, for programs: schema.

    \b
    Example:
      retention api schema
    """


@api.command("schema")
def api_schema() -> None:
    """JSON Schema of every verb's answer, as `--json` and the API give it.

    Needs neither the service nor a configuration.

    \b
    Example:
      retention api schema
    """
    from retention.service.api import answers

    put_json(answers.schema())


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the directory, to look around in.")
def demo(keep: bool) -> None:
    """A small archive, the real daemon, a hold, deletions, a verified log.

    Works in a directory of its own, touches nothing else, ends by itself.

    \b
    Example:
      retention demo
      retention demo --keep
    """
    from retention.cli.local.demo import demo as show

    show(keep=keep, say=put)
