"""`retention audit verify`: whether a log, or a proof, is what was written.

Of a directory or a file it needs nothing but that and the key: no service, no catalogue,
no configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retention.cli.audit import proof
from retention.cli.base import Session, with_session
from retention.cli.display import (
    alarm,
    counted,
    good,
    local,
    number,
    pairs,
    safe,
    sentence,
    telling,
    working,
)
from retention.cli.display import note as say
from retention.model.answers.proof import LawChecked, LogChecked, PublishedChecked
from retention.model.errors import RetentionError, UsageError, VerificationError

if TYPE_CHECKING:
    from retention.tlog.copied import DirectorySource
    from retention.tlog.note import Verifier

_DEPTHS = {
    "tree": "every entry, and the digest of every row file",
    "sums": "every entry, and that rows, counts and batches add up",
    "deep": "every entry and every row, and the log by the rules that were in force",
}

_STEP = 20_000
"""Entries between two words of progress."""


@click.command("verify")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--key",
    metavar="KEY",
    help="The log's key: a file, its text, or the fingerprint noted on paper.",
)
@click.option(
    "--since",
    multiple=True,
    metavar="CHECKPOINT",
    help="An older checkpoint that you kept: a file, a mail with it, a directory of "
    'them, or entries and root as they are on paper ("17 a62e 9e53 ..."); repeatable.',
)
@click.option(
    "--copy",
    "second",
    is_flag=True,
    help="DIR is a second copy (log_copy), which has no `checkpoint`: by its newest kept one.",
)
@click.option("--sums", is_flag=True, help="Also that rows, counts and batches add up.")
@click.option(
    "--deep",
    is_flag=True,
    help="Also every row of every batch, and whether all was lawful.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=min(os.cpu_count() or 1, 4),
    show_default="one a processor, 4 at most",
    metavar="COUNT",
    help="Processes that read rows, with --sums or --deep.",
)
@with_session
def verify(
    session: Session,
    target: Path | None,
    key: str | None,
    since: tuple[str, ...],
    second: bool,
    sums: bool,
    deep: bool,
    jobs: int,
) -> int:
    """Whether a published log (a directory) or a proof (a file) is what was written.

    Without one, the service checks its own log against the published copy. With --deep
    also whether it is lawful: what it says was allowed by the rules in force then.

    \b
    Example:
      retention audit verify /media/usb/log --key "3f1c 09ab 77d2 e410"
      retention audit verify /media/usb/log --key key.txt --since checkpoints/
      retention audit verify 1101.tlog-proof --key key.txt
      retention audit verify --deep

    Exit status 5: it is not what was written, or not lawful.
    """
    if target is None:
        if key is not None or since or second:
            raise UsageError(
                "--key, --since and --copy are for a published log: name its place"
            )
        return _own(session, sums=sums, deep=deep)
    if target.is_dir():
        depth = "deep" if deep else "sums" if sums else "tree"
        return _directory(session, target, key, since, second, depth, jobs)
    if not target.exists():
        raise UsageError(f"{target} is not there: name a published log, or a proof")
    if since or second or sums or deep:
        raise UsageError(
            f"{target} is a file: --since, --copy, --sums and --deep are for a log"
        )
    return proof.verify(session, target, key)


# -- a directory --------------------------------------------------------------------


def _directory(
    session: Session,
    directory: Path,
    key: str | None,
    since: tuple[str, ...],
    second: bool,
    depth: str,
    jobs: int,
) -> int:
    from retention.tlog.copied import DirectorySource
    from retention.tlog.directory import CHECKPOINT
    from retention.tlog.known_key import verifier_of
    from retention.tlog.page import on_paper

    copied = DirectorySource(directory)
    head = copied.published.head if second else CHECKPOINT
    if key is None:
        raise UsageError(_no_key(copied))
    paper = [found for text in since if (found := on_paper(text))]
    older = [one for text in since if not on_paper(text) for one in _brought(text)]
    verifier = verifier_of(key, copied.published)
    if directory.resolve() in Path(key).resolve().parents and Path(key).is_file():
        say(
            "Note: that key is what the directory says of itself. Compare its fingerprint "
            "with one that you got otherwise."
        )
    answer = check(copied, verifier, older, paper, head=head, depth=depth, jobs=jobs)
    session.answer(answer, _found, copied.zone)
    return 0 if answer.ok else VerificationError.exit_status


def check(
    copied: DirectorySource,
    verifier: Verifier,
    older: Sequence[tuple[str, bytes]] = (),
    paper: Sequence[tuple[int, bytes]] = (),
    **how: Any,
) -> PublishedChecked:
    """What the check of a published log finds; with progress on a terminal.

    `older` are checkpoints that were brought, `paper` roots of so many entries.
    """
    from retention.tlog import note
    from retention.tlog.verify import findings, published

    directory = copied.path
    with telling() as tell:
        report = published.verify_directory(
            directory, verifier, since=older, progress=progress(tell), **how
        )
        for typed in paper:
            published.compare_root(report, copied.published, *typed)
    return findings.answer(
        report,
        str(directory),
        checkpoint=how.get("head"),
        fingerprint=note.fingerprint(verifier.vkey),
        brought=[
            *(name for name, _ in older),
            *(f"the root of {size} entries on paper" for size, _ in paper),
        ],
    )


def _no_key(copied: DirectorySource) -> str:
    """Whoever altered a log may have put another key beside it."""
    from retention.tlog import note
    from retention.tlog.known_key import named_key

    try:
        own = f"; the copy itself names {note.fingerprint(named_key(copied.published))}"
    except RetentionError:
        own = ""
    return (
        "name the log's key with --key: the fingerprint noted on paper, the key's text, "
        f"or a file with it, from somebody you trust{own}"
    )


def _brought(given: str | Path) -> list[tuple[str, bytes]]:
    """The checkpoints in a file, or in every file of a directory."""
    from retention.tlog.page import notes_in

    path = Path(given)
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.is_file())
        if not files:
            raise UsageError(f"{path} holds no file, so no older checkpoint")
        return [found for file in files for found in _brought(file)]
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no file: name a checkpoint that was kept")
    try:
        notes = notes_in(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    except VerificationError as error:
        raise UsageError(f"{path} is no checkpoint: {error}") from error
    if len(notes) == 1:
        return [(str(path), notes[0])]
    return [(f"{path} ({at})", data) for at, data in enumerate(notes, 1)]


def progress(tell: Callable[[str], None]) -> Callable[[int, int], None]:
    """What tells now and then how far it is, of so many entries."""
    told = -_STEP

    def told_now(done: int, size: int) -> None:
        nonlocal told
        if done - told >= _STEP or done == size:
            told = done
            share = 100 * done // max(size, 1)
            tell(f"{share} %, entry {number(done)} of {number(size)}")

    return told_now


def _found(answer: PublishedChecked, zone: str) -> str:
    if answer.faults:
        return faults_text(answer, zone)
    intact = f"ntact to entry {answer.entries - 1}, {signed_text(answer, zone)}."
    how = "Copied while it was written: i" if answer.copied_while_written else "I"
    words = [good(how + intact), *law_lines(answer.law)]
    return "\n".join([*words, "", facts_text(answer, zone)])


def signed_text(answer: PublishedChecked, zone: str) -> str:
    """When the last entry was written; of a public copy the last that is in it."""
    signed = local(answer.signed_at, zone, "an unknown time")
    if not answer.withheld:
        return f"signed at {signed}"
    entries = f"{counted(answer.withheld, 'entry', 'entries')} withheld"
    if answer.signed_at is None:
        return entries
    return f"{entries}; the last that is not was written at {signed}"


def law_lines(law: LawChecked | None) -> Iterator[str]:
    """Whether it is lawful, what is not, and what people have seen to of that."""
    if law is None:
        return
    for one in law.violations:
        yield alarm(f"NOT LAWFUL: {safe(one.what)}.")
    if law.more_violations:
        yield alarm(f"... and {counted(law.more_violations, 'more violation')}.")
    if law.lawful and not law.judged:
        yield alarm("Whether it is lawful is not known: no entry could be judged.")
    elif law.lawful and law.withheld:
        yield good(f"Lawful to entry {law.judged - 1}, as far as can be checked.")
    elif law.lawful:
        yield good(f"Lawful to entry {law.judged - 1}, by the rules in force then.")
    for one in law.acknowledged:
        yield f"Acknowledged: {safe(one.what)}."


def law_facts(law: LawChecked | None) -> Iterator[tuple[str, str]]:
    """What could not be looked at, and what could not be stopped any more."""
    if law is None:
        yield "lawful", "not looked at: --deep does"
        return
    if law.withheld:
        yield (
            "withheld",
            f"{number(law.withheld)} entries: no rule can be checked of them",
        )
    if law.not_checkable:
        found = (f"{one.name} ({number(one.times)})" for one in law.not_checkable)
        yield "not checkable", ", ".join(found)
    if law.in_flight:
        files = counted(law.in_flight, "file")
        yield "in flight", f"{files} deleted under a hold placed after the intent"


def facts_text(answer: PublishedChecked, zone: str) -> str:
    """What was checked, and how."""
    return pairs(_facts(answer, zone))


def faults_text(answer: PublishedChecked, zone: str) -> str:
    """What is not as it was written."""
    told = [*_faults(answer), *law_lines(answer.law)]
    return "\n".join([*told, "", facts_text(answer, zone)])


def _faults(answer: PublishedChecked) -> Iterator[str]:
    for fault in answer.faults:
        yield alarm(f"NOT INTACT: {safe(fault.what)}.")
    if answer.more_faults:
        yield alarm(f"... and {counted(answer.more_faults, 'more fault')}.")
    intact = answer.intact
    if any(fault.entry is None for fault in answer.faults):
        return
    if answer.copied_while_written:
        known = (
            f"intact to entry {intact - 1}"
            if intact
            else "no head here covers only what is there, so none of it is known to be "
            "what was signed"
        )
        yield (
            f"Copied while it was written: {known}. `retention audit copy` makes a whole "
            "one."
        )
        return
    yield (
        f"Entries 0 to {intact - 1} are what was written."
        if intact
        else "No entry is known to be what was written."
    )


def _facts(answer: PublishedChecked, zone: str) -> Iterator[tuple[str, Any]]:
    yield "log", answer.origin or "-"
    yield "key", f"fingerprint {answer.fingerprint}"
    yield "entries", f"{number(answer.entries)} under the checkpoint"
    if answer.withheld:
        yield (
            "a public copy",
            (
                f"of {number(answer.withheld)} of them only the hashes are here; whether these "
                "are withheld rightly it can't show"
            ),
        )
    if answer.checkpoint not in (None, "checkpoint"):
        day = str(answer.checkpoint).rpartition("/")[2]
        day = re.sub("^to-entry-0*", "entry ", day)
        yield "checkpoint", f"that of {day}: this copy has no newer one"
    if answer.unsigned:
        yield "after it", f"{number(answer.unsigned)} published, not under it yet"
    if answer.ahead:
        yield "a later head", f"{answer.ahead}: the checkpoint is older than that"
    if answer.entries or answer.ok:
        yield "checked", _DEPTHS[answer.depth]
    if answer.depth != "tree":
        yield "rows", number(answer.rows)
    yield from law_facts(answer.law)
    yield "older checkpoints", _older(answer)
    if answer.open_intents:
        yield "batches not finished", number(len(answer.open_intents))
    if answer.strangers:
        yield "files that are not the log's", ", ".join(answer.strangers)


def _older(answer: PublishedChecked) -> str:
    """Those that somebody kept elsewhere count; the directory's own do not."""
    given = answer.brought or []
    brought = [name for name in given if name in answer.extends]
    own = len(answer.extends) - len(brought)
    kept = f"{counted(own, 'day')} kept in the directory" if own else ""
    if not given:
        hint = "none brought (--since): a log that was signed anew would not show"
        return f"{hint}; {kept}" if kept else hint
    text = f"it extends {len(brought)} of {len(given)} that you brought"
    return f"{text}; {kept}" if kept else text


# -- the live log -------------------------------------------------------------------


def _own(session: Session, *, sums: bool, deep: bool) -> int:
    with working("reading the audit log and its published copy"):
        answer = session.ask(
            "audit.verify", LogChecked, deep=deep or None, sums=sums or None
        )
    session.answer(answer, _verified)
    return 0 if answer.ok else VerificationError.exit_status


def _signed(copy: PublishedChecked, zone: str) -> str:
    if not copy.entries:
        return "not known: there is no checkpoint that holds"
    return f"to entry {copy.entries - 1}, at {local(copy.signed_at, zone)}"


def _rows_checked(answer: LogChecked) -> str:
    copy = answer.published
    if answer.deep:
        return number(answer.rows)
    if copy is not None and copy.depth != "tree":
        return f"{number(copy.rows)}, in the published copy"
    return "no"


def _verified(answer: LogChecked, zone: str) -> str:
    colour = good if answer.ok else alarm
    summary = sentence(answer.summary, zone)
    copy = answer.published
    lines = [
        ("entries", number(answer.entries)),
        ("rows checked", _rows_checked(answer)),
        ("root", answer.root),
        ("withheld", counted(answer.withheld, "value")),
        ("batches not finished", len(answer.open_intents)),
        *law_facts(answer.law),
    ]
    if copy is not None:
        lines += [
            ("published in", copy.directory),
            ("signed", _signed(copy, zone)),
        ]  # fmt: skip
    told = [colour(f"{summary[:1].upper()}{summary[1:]}."), pairs(lines)]
    told[1:1] = law_lines(answer.law)
    if copy is not None and not copy.ok:
        told[1:1] = [alarm(f"Copy: {safe(one.what)}.") for one in copy.faults]
    told[1:1] = [alarm(f"Catalogue: {safe(one)}.") for one in answer.mismatches]
    told[1:1] = [
        alarm(f"Guard {name}: {safe(why)}.") for name, why in answer.stands.items()
    ]
    return "\n".join(told)
