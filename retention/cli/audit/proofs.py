"""`retention audit prove | publish | checkpoint | key`: what is handed to others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.cli.audit.balance import directory_option
from retention.cli.audit.texts import CAME_BACK
from retention.cli.base import Session, group, with_session
from retention.cli.display import alarm, good, local, note, number, pairs, put, safe
from retention.model.answers.proof import LogKey, LogPublished, NewestCheckpoint, Proof
from retention.model.errors import RetentionError, UsageError

if TYPE_CHECKING:
    from retention.reports.published_copy import PublishedCopy


@click.command("prove")
@click.argument("entry", type=click.IntRange(min=0), metavar="ENTRY", required=False)
@click.option(
    "--row", type=click.IntRange(min=0), metavar="ROW", help="This row of the entry."
)
@click.option(
    "--camera", metavar="ID", help="What became of a recording of this camera."
)
@click.option("--at", metavar="TIME", help="An instant that the recording covers.")
@click.option(
    "--disclose",
    multiple=True,
    metavar="FIELD",
    help="Open this field of the entry (people's data), such as reason; repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the proof there; else to standard output.",
)
@directory_option
@with_session
def prove(
    session: Session,
    out: Path | None,
    copied: PublishedCopy | None,
    disclose: tuple[str, ...],
    **given: Any,
) -> None:
    """A file that proves one entry, or one deletion, to a third person.

    It is a C2SP tlog-proof: the entry (and the one row, of a deletion, with its camera's
    published id), its way through the log's tree, and the signed checkpoint. No other row
    is revealed. Whoever has the log's key checks it with `retention audit verify FILE
    --key KEY`, offline.

    \b
    Example:
      retention audit prove 1204 --out entry-1204.tlog-proof
      retention audit prove --camera 1101 --at "24/10/2026 14:00" --out 1101.tlog-proof
    """
    _check_asked(**given)
    if out is not None and out.exists():
        raise UsageError(f"{out} is there already: choose another name")
    if copied is None:
        answer = session.ask(
            "audit.prove", Proof, disclose=list(disclose) or None, **given
        )
    else:
        if disclose:
            raise UsageError(
                "a published copy does not have what opens a field: leave out --disclose "
                "or --dir"
            )
        from retention.site.clock import read

        answer = copied.prove(read().wall, **given)
    if answer.came_back and not session.as_json:
        note(
            f"Note: entry {answer.entry} {CAME_BACK}: whoever can write in the published "
            "directory may have put it there. The proof says so."
        )
    if session.as_json:
        session.answer(answer, lambda _, __: "")
    elif out is None:
        put(answer.proof.removesuffix("\n"))
    if out is not None:
        out.write_text(answer.proof, encoding="utf-8")
        what = "" if answer.row is None else f", row {answer.row}"
        note(
            f"The proof of entry {answer.entry}{what} ({answer.kind}) is in {out}. "
            f"Whoever has the log's key checks it: retention audit verify {out} --key KEY"
        )


def _check_asked(
    entry: int | None, row: int | None, camera: str | None, at: str | None
) -> None:
    if (entry is None) == (camera is None):
        raise UsageError(
            "say what to prove: the number of an entry, or --camera with --at"
        )
    if (camera is None) != (at is None):
        raise UsageError("--camera and --at belong together")
    if row is not None and entry is None:
        raise UsageError("--row is a row of an entry: give the entry's number")


@click.command("publish")
@with_session
def publish(session: Session) -> int:
    """Publish the log now, and write again what is missing from its directory.

    The service does this by itself once a minute; a file that was changed there is
    never overwritten, but reported.

    \b
    Example:
      retention audit publish
    """
    answer = session.ask("audit.publish", LogPublished)
    session.answer(answer, _published)
    return 0 if answer.published else RetentionError.exit_status


def _published(answer: LogPublished, zone: str) -> str:
    where = safe(answer.directory)
    if answer.published:
        return good(f"Published in {where}: every entry, under a signed checkpoint.")
    why = safe(answer.not_published or "no service publishes it")
    return alarm(f"NOT published in {where}: {why}.")


@click.command("checkpoint")
@click.option(
    "--print",
    "as_page",
    is_flag=True,
    help="A page to print or to mail, with what to do with it.",
)
@directory_option
@with_session
def checkpoint(session: Session, as_page: bool, copied: PublishedCopy | None) -> None:
    """The newest signed checkpoint: hand it to somebody outside, who keeps it.

    Only a checkpoint that is kept elsewhere shows that a log was rewritten by whoever
    has its key, or rolled back.

    \b
    Example:
      retention audit checkpoint
      retention audit checkpoint --print | mail -s "CCTV log" auditor@example.org
      retention audit checkpoint --dir /media/usb/log --print
    """
    zone = None
    if copied is None:
        answer = session.ask("audit.checkpoint", NewestCheckpoint)
    else:
        answer, zone = copied.checkpoint(), copied.zone
    session.answer(answer, _page if as_page else _checkpoint, zone)


def _checkpoint(answer: NewestCheckpoint, zone: str) -> str:
    return pairs(
        [
            ("log", answer.origin),
            ("entries", f"{number(answer.size)}, 0 to {answer.size - 1}"),
            ("last entry", local(answer.written, zone)),
            ("root", answer.root),
            ("key", f"fingerprint {answer.fingerprint}"),
            ("published in", answer.published),
        ]
    ) + (
        f"\n\n{safe_lines(answer.checkpoint)}\n\n"
        "Hand it to somebody outside: `retention audit checkpoint --print` makes a page "
        "of it."
    )


def safe_lines(text: str) -> str:
    """Several lines, each of which can't move the cursor."""
    return "\n".join(safe(line) for line in text.rstrip("\n").split("\n"))


def _page(answer: NewestCheckpoint, zone: str) -> str:
    from retention.tlog.page import Handed, page

    written = local(answer.written, zone)
    handed = Handed(answer.checkpoint, answer.fingerprint, written)
    return page(handed).removesuffix("\n")


@group("key")
def key() -> None:
    """The key that the log's checkpoints are signed with: show.

    \b
    Example:
      retention audit key show
    """


@key.command("show")
@directory_option
@with_session
def key_show(session: Session, copied: PublishedCopy | None) -> None:
    """The verifier key, and a short fingerprint of it to note on paper.

    \b
    Example:
      retention audit key show
      retention audit key show --json
    """
    if copied is None:
        session.answer(session.ask("audit.key", LogKey), _key)
        return
    session.answer(copied.named_key(), _key, "UTC")
    note(
        "Note: this is what the directory says of itself. Compare the fingerprint with "
        "one that you got otherwise."
    )


def _key(answer: LogKey, zone: str) -> str:
    return (
        pairs(
            [
                ("log", answer.origin),
                ("fingerprint", answer.fingerprint),
                ("verifier key", answer.vkey),
            ]
        )
        + "\n\nNote the fingerprint on paper, away from this machine: whoever verifies "
        "the log\ntypes it after --key."
    )
