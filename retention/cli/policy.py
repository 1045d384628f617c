"""`retention policy`: periods and rules in force, and what the settings propose."""

from __future__ import annotations

from collections.abc import Iterator

import click

from retention.cli.base import Session, group, with_session
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
from retention.model.answers.policy import (
    DueAlso,
    DueByCamera,
    PolicyApproved,
    PolicyRejected,
    PolicyShown,
    ProposalShown,
    RuleProposed,
)
from retention.model.answers.status import PeriodPreview


@group("policy")
def policy() -> None:
    """How long footage is kept, and by which rules: show | approve | reject.

    The configuration proposes. What keeps footage longer, or makes a rule stronger,
    applies with the next start; the opposite waits for a supervisor.

    \b
    Example:
      retention policy show
    """


@policy.command("show")
@with_session
def show(session: Session) -> None:
    """What is in force, and each proposal with what it would make due.

    \b
    Example:
      retention policy show
    """
    session.answer(session.ask("policy.show", PolicyShown), _shown)


def _shown(answer: PolicyShown, zone: str) -> str:
    own = answer.cameras
    parts = [
        pairs(_in_force(answer, zone)),
        table(
            ("camera", "location", "days"),
            [(one.camera, one.location, one.days) for one in own],
        )
        if own
        else "",
        "\n".join(
            alarm(
                f"NOT IN THE LOG: camera {safe(one.camera)} is kept "
                f"{counted(one.days, 'day')}, the log says {one.logged_days}. Only the "
                "catalogue's row has that; it is kept so until people change it."
            )
            for one in answer.not_in_log
        ),
        *(_proposal(one, answer.approvers, zone) for one in answer.proposals),
        "\n".join(
            f'Configuration: [camera."{safe(id_)}"] is no camera of today.'
            for id_ in answer.overrides_of_unknown_cameras
        ),
        "" if answer.proposals else "The configuration proposes nothing else.",
    ]
    return "\n\n".join(part for part in parts if part)


def _in_force(answer: PolicyShown, zone: str) -> list[tuple[str, str]]:
    rules = answer.rules
    two, login = rules.release_requires_two_people, rules.require_login_uid
    return [
        (
            "retention period",
            f"{counted(answer.days, 'day')} (policy {answer.version}, in force "
            f"since {local(answer.since, zone)})",
        ),
        ("release of a hold", "two people" if two else "ONE PERSON ALONE"),
        (
            "login uid",
            "required: the two are told apart by it"
            if login
            else "NOT REQUIRED: one person with two accounts can pass for two",
        ),
        ("cooling off", length(rules.cooling_off_seconds)),
        (
            "due by surprise",
            f"above {rules.deletion_limit * 100:g}% of a root, and above "
            f"{counted(rules.deletion_floor, 'recording')}, a supervisor is asked",
        ),
    ]


def _proposal(one: ProposalShown, approvers: list[str], zone: str) -> str:
    lines = [_title(one, zone), *(f"  {text}" for text in sentences(one))]
    would = one.would_become_due
    if would is not None:
        lines.append(f"  It would make due: {total(would)}.")
        if would.cameras:
            lines.append(by_camera(would.cameras))
    return "\n".join([*lines, *_next(one, approvers)])


def _title(one: ProposalShown, zone: str) -> str:
    what = "shorter periods" if one.subject == "periods" else "a weaker rule"
    if one.proposal is None:
        return f"New since the last start, without a number yet: {what}"
    when = local(one.proposed, zone)
    state = ", REJECTED" if one.state == "rejected" else ""
    return f"Proposal {one.proposal}{state}: {what}, proposed {when}"


def _next(one: ProposalShown, approvers: list[str]) -> Iterator[str]:
    """What to type, and who can."""
    if one.state == "rejected":
        yield "  Not applied; it stays rejected until the configuration changes."
    elif one.proposal is None:
        yield "  It gets its number with the next start of the service."
    else:
        yield (
            f"  A supervisor ({', '.join(map(safe, approvers)) or 'nobody is one now'}) "
            f"types `retention policy approve {one.proposal}`"
        )
        yield f'  or `retention policy reject {one.proposal} --reason "..."`.'


def sentences(one: ProposalShown | PolicyApproved | PolicyRejected) -> Iterator[str]:
    """The changes of a proposal, a sentence each."""
    for change in one.changes:
        if isinstance(change, RuleProposed):
            yield (
                f"{change.rule}: {safe(change.proposed)} instead of {safe(change.now)}"
            )
        else:
            whose = "all cameras"
            if change.camera is not None:
                whose = f"camera {safe(change.camera)} ({safe(change.location)})"
            yield (
                f"{whose}: {counted(change.proposed_days, 'day')} instead of "
                f"{change.days}"
            )


def total(found: DueAlso | PeriodPreview) -> str:
    """Recordings, hours and bytes of a preview."""
    if not found.recordings:
        return "nothing"
    return (
        f"{counted(found.recordings, 'recording')}, {hours(found.seconds)} hours, "
        f"{size(found.bytes)}"
    )


def hours(seconds: int) -> str:
    """Hours to one decimal."""
    return f"{seconds / 3600:,.1f}"


def by_camera(lines: list[DueByCamera]) -> str:
    """A preview's lines as a table."""
    return table(
        ("camera", "location", "days now", "then", "recordings", "hours", "size"),
        [
            (
                one.camera,
                one.location,
                one.days,
                one.proposed_days,
                number(one.recordings),
                hours(one.seconds),
                size(one.bytes),
            )
            for one in lines
        ],
    )


@policy.command("approve")
@click.argument("proposal", type=int, metavar="PROPOSAL")
@with_session
def approve(session: Session, proposal: int) -> None:
    """Put a proposal in force: what `policy show` says of it, nothing else.

    A supervisor's decision, on record. Footage that is due by a shorter period goes
    with the next cycles, except what is held; where that is much, `retention plan`
    shows it and it waits for `retention deletion approve`.

    \b
    Example:
      retention policy approve 3
    """
    answer = session.ask("policy.approve", PolicyApproved, proposal=proposal)
    session.answer(answer, _approved)


def _approved(answer: PolicyApproved, zone: str) -> str:
    lines = [
        f"Proposal {answer.proposal} is in force since "
        f"{local(answer.in_force_since, zone)} (entry {answer.entry} of the audit "
        "log):",
        *(f"  {text}" for text in sentences(answer)),
    ]
    if answer.subject == "periods":
        lines.append(
            "What is due by it goes with the next cycles, except what is held; if that "
            "is more than is believable, `retention plan` shows the plan to approve."
        )
    return "\n".join(lines)


@policy.command("reject")
@click.argument("proposal", type=int, metavar="PROPOSAL")
@click.option("--reason", required=True, help="Why, in a few words.")
@with_session
def reject(session: Session, proposal: int, reason: str) -> None:
    """Say no to a proposal; it stays rejected until the configuration changes.

    \b
    Example:
      retention policy reject 3 --reason "the committee decided on 28 days"
    """
    answer = session.ask(
        "policy.reject", PolicyRejected, proposal=proposal, reason=reason
    )
    session.answer(answer, _rejected)


def _rejected(answer: PolicyRejected, zone: str) -> str:
    lines = [
        f"Proposal {answer.proposal} is rejected (entry {answer.entry} of the "
        "audit log); this is not applied:",
        *(f"  {text}" for text in sentences(answer)),
        "Correct the configuration to match, so that nobody takes it for what is in "
        "force.",
    ]
    return "\n".join(lines)
