"""`retention audit copy`: the published log for somebody to carry away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retention.cli.audit import verify
from retention.cli.base import Session, with_session
from retention.cli.display import counted, good, local, note, number, safe, telling
from retention.model.answers.proof import ExtractMade, PublishedChecked
from retention.model.errors import UsageError, VerificationError
from retention.model.localtime import format_utc

if TYPE_CHECKING:
    from retention.tlog.note import Verifier


@click.command("copy")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="This published directory; else the one that the configuration names.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 10_000),
    metavar="COUNT",
    help="Only an extract, for a browser: the last COUNT days up to the last entry.",
)
@click.option(
    "--since", metavar="TIME", help="Only an extract: what was written from then on."
)
@click.option(
    "--until", metavar="TIME", help="Only an extract: what was written before then."
)
@click.option(
    "--public",
    is_flag=True,
    help="Without what speaks of holds, people, requests and recordings, but the hashes.",
)
@with_session
def copy(
    session: Session,
    directory: Path,
    source: Path | None,
    days: int | None,
    since: str | None,
    until: str | None,
    *,
    public: bool,
) -> int:
    """A copy of the published log that verifies, whatever the service does meanwhile.

    It has all that is under the signed head when it begins, and nothing beyond. Broken
    off, or into an earlier copy, it goes on from what is there. It needs no role: who may
    read the published directory may copy it.

    \b
    Example:
      retention audit copy /media/usb/log
      retention audit copy /media/usb/log --from /srv/www/log
      retention audit copy /media/usb/september --since "2026-09-01 00:00" \\
          --until "2026-10-01 00:00"
      retention audit copy /media/usb/month --days 28
      retention audit copy --public /srv/www/cctv-log

    An extract is not for `audit verify`: it has few files, which a browser can open from
    a stick, and the pages of `retention audit explorer` with which it checks them. It has
    the entries of those days with their rows, and from other days what was said of
    cameras, holds and rules.

    With --public it can be served to anybody: cameras, periods, rules and when the service
    ran are in it, all else is withheld but the hashes, and it verifies all the same.
    Never serve the whole log, or an extract: it tells where and when police look, and who
    asked for footage of themselves.

    Exit status 5: what was copied is not what was written.
    """
    from retention.publication.copy import Copy, PublicCopy
    from retention.tlog.copied import DirectorySource
    from retention.tlog.known_key import named_key
    from retention.tlog.note import parse_vkey

    source = session.settings.published_log if source is None else source
    verifier = parse_vkey(named_key(DirectorySource(source).published))
    _refuse(directory, source)
    if (days, since, until) != (None, None, None):
        if public:
            raise UsageError("an extract is not for the public: leave out --public")
        return _extract(session, source, directory, verifier, (days, since, until))
    there = (directory / "checkpoint").exists()
    for afresh in (False, True):
        copying = (PublicCopy if public else Copy)(source, directory)
        with telling() as tell:
            copying.to_head(verify.progress(tell), afresh=afresh)
        copied = DirectorySource(directory)
        answer = verify.check(copied, verifier)
        if answer.ok or not there:
            break  # else an earlier copy has not what its head says: compare every file
    session.answer(answer, _copied, copied.zone)
    guessable = copying.guessable if isinstance(copying, PublicCopy) else 0
    if guessable and not session.as_json:
        note(
            f"Note: {counted(guessable, 'withheld entry', 'withheld entries')} of "
            "an older program without a salt: whoever guesses all that one says can tell "
            "by its hash that it is so."
        )
    return 0 if answer.ok else VerificationError.exit_status


def _extract(
    session: Session,
    source: Path,
    directory: Path,
    verifier: Verifier,
    when: tuple[int | None, str | None, str | None],
) -> int:
    """Some days, for a browser."""
    from retention.model.localtime import parse_instant
    from retention.publication.extract import Days, extract
    from retention.site.clock import read
    from retention.tlog.copied import DirectorySource
    from retention.tlog.note import fingerprint

    copied = DirectorySource(source)
    if copied.published.is_public:
        raise UsageError(
            f"{source} is a public copy: an extract is made of a whole log"
        )
    days, *typed = when
    if days is not None and any(typed):
        raise UsageError("--days goes without --since and --until: say one of them")
    if directory.exists() and any(directory.iterdir()):
        raise UsageError(f"{directory} is not empty: an extract goes into a new one")
    now = read().wall
    since, until = (
        None if text is None else parse_instant(text, copied.zone, now)
        for text in typed
    )
    answer = verify.check(copied, verifier)
    if not answer.ok:
        session.answer(answer, verify.faults_text, copied.zone)
        return VerificationError.exit_status
    with telling() as tell:
        found = extract(
            source, directory, Days(days, since, until), verify.progress(tell)
        )
    made = ExtractMade(
        str(directory), found.first, found.last, format_utc(found.since),
        format_utc(found.until), found.beside, found.files,
        fingerprint(verifier.vkey),
    )  # fmt: skip
    session.answer(made, _extracted, copied.zone)
    return 0


def _extracted(answer: ExtractMade, zone: str) -> str:
    done = good(
        f"Entries {answer.first} to {answer.last - 1}, written "
        f"{local(answer.since, zone)} to {local(answer.until, zone)}; verified."
    )
    return (
        f"{done}\n\n{number(answer.files)} files, with {number(answer.beside)} entries of "
        "other days about cameras, holds and rules. Open "
        f"{safe(answer.directory)}/explorer/index.html in a browser, pick {safe(answer.directory)} "
        "there, and give it the log's key from paper: its fingerprint should be "
        f"{answer.fingerprint}."
    )


def _refuse(directory: Path, source: Path) -> None:
    """UsageError for a place that no copy can be put in."""
    place = directory.resolve()
    if source.resolve() in (place, *place.parents):
        raise UsageError(f"{directory} is the log itself: name another directory")
    if not place.parent.is_dir():
        raise UsageError(f"{place.parent} is not there: mount it, or make it")
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is no directory: name one for the copy")
    is_copy = not directory.exists() or (directory / "key").exists()
    if not is_copy and any(directory.iterdir()):
        raise UsageError(
            f"{directory} holds something else than a copy of a log: name an empty "
            "directory, or a new one"
        )


def _copied(answer: PublishedChecked, zone: str) -> str:
    if not answer.ok:
        return verify.faults_text(answer, zone)
    signed = verify.signed_text(answer, zone)
    done = good(f"Entries 0 to {answer.entries - 1}, {signed}; verified.")
    facts = verify.facts_text(answer, zone)
    return (
        f"{done}\n\n{facts}\n\nThe key is the one that the log names: compare its "
        "fingerprint with the one on paper."
    )
