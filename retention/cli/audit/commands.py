"""`retention audit`: what was done, by whom, and the proof that none of it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from retention.cli.audit import balance, copying, exploring, proofs, verify
from retention.cli.audit.texts import entries_text, entry_text
from retention.cli.base import Session, group, with_session
from retention.cli.display import note, put, put_json, working
from retention.model.answers.audit import EntryList, EntryShown
from retention.model.errors import UsageError

if TYPE_CHECKING:
    from retention.reports.published_copy import PublishedCopy


@group("audit")
def audit() -> None:
    """The audit log: list | show | find | balance | verify | prove | publish | copy |
    explorer | checkpoint | key | kinds.

    \b
    Example:
      retention audit list --kind hold.placed
      retention audit find --camera 1101 --at "24/10/2026 14:00"
      retention audit verify DIRECTORY --key FINGERPRINT

    With --dir DIR, list, show, find, balance, prove, checkpoint and key show read a
    published copy of the log up to its signed head, and need neither the service nor a
    configuration.
    """


@audit.command("list")
@click.option(
    "--kind",
    metavar="KIND",
    help="Of this kind, such as hold.placed, or of all such as 'hold.*'.",
)
@click.option(
    "--subject",
    metavar="WHAT",
    help="About this: hold:17, root:nvr1, guard:clock, proposal:3 ...",
)
@click.option(
    "--camera",
    metavar="ID",
    help="About footage of this camera; the times are then the footage's.",
)
@balance.controller_option
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant.")
@click.option("--on", metavar="DAY", help="On this day of the site's zone, instead.")
@click.option(
    "--before", type=click.IntRange(min=0), metavar="NUMBER", help="Below this number."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="COUNT",
    help="At most; else 100.",
)
@balance.unsigned_option
@balance.directory_option
@with_session
def list_(session: Session, copied: PublishedCopy | None, **given: Any) -> None:
    """Entries, newest first; with --camera or --controller, what became of footage.

    \b
    Example:
      retention audit list --limit 20
      retention audit list --subject hold:17
      retention audit list --camera 1101 --from "24/10/2026 14:00" \\
          --to "24/10/2026 15:00"
      retention audit list --camera 1101 --kind recordings.deleted --on 24/10/2026
      retention audit list --kind 'hold.*' --on yesterday
      retention audit list --controller "Oadby and Wigston Borough Council"
      retention audit list --dir /media/usb/log --kind hold.released
      retention audit list --dir /media/usb/log --unsigned
    """
    if copied is None:
        session.answer(session.ask("audit.list", EntryList, **given), entries_text)
        return
    from retention.reports.entries import ListRequest
    from retention.site.clock import read

    with working("reading the published log"):
        answer = copied.listing(ListRequest(**given), read().wall)
    session.answer(answer, entries_text, copied.zone)
    _unverified(session, copied)


def _unverified(session: Session, copied: PublishedCopy) -> None:
    balance.left_out(session, copied)
    if not session.as_json:
        note(
            f"Note: as it lies in {copied.directory}; `retention audit verify "
            f"{copied.directory} --key KEY` tells whether that is what was written."
        )


@audit.command("show")
@click.argument("number", type=click.IntRange(min=0), metavar="NUMBER")
@balance.unsigned_option
@balance.directory_option
@with_session
def show(session: Session, number: int, copied: PublishedCopy | None) -> None:
    """One entry in full, with the rows that belong to it.

    \b
    Example:
      retention audit show 1204
      retention audit show 1204 --dir /media/usb/log
    """
    if copied is None:
        session.answer(session.ask("audit.show", EntryShown, number=number), entry_text)
        return
    session.answer(copied.show(number), entry_text, copied.zone)
    _unverified(session, copied)


audit.add_command(balance.find)
audit.add_command(balance.balance)
audit.add_command(verify.verify)
audit.add_command(proofs.prove)
audit.add_command(proofs.publish)
audit.add_command(copying.copy)
audit.add_command(exploring.explorer)
audit.add_command(proofs.checkpoint)
audit.add_command(proofs.key)


@audit.command("kinds")
@click.argument("names", nargs=-1, metavar="[KIND]...")
@click.option(
    "--schema", is_flag=True, help="JSON Schema of an entry instead of text for people."
)
@with_session
def kinds(session: Session, names: tuple[str, ...], schema: bool) -> None:
    """Every kind of entry with its fields: what the log can say.

    \b
    Example:
      retention audit kinds
      retention audit kinds hold.placed hold.released
      retention audit kinds --schema
    """
    from retention.tlog import document
    from retention.tlog.kinds import KINDS

    for name in names:
        if name not in KINDS:
            raise UsageError(
                f"{name} is no kind of entry that this program knows: `retention audit "
                "kinds` lists them"
            )
    if schema:
        if names:
            raise UsageError("the schema is of all kinds: leave out the names")
        put_json(document.schema())
    elif session.as_json:
        put_json({"kinds": document.described(names)})
    else:
        put(document.text(names))
