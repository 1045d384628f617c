"""`retention audit copy`: the published log for somebody to carry away."""

from __future__ import annotations

from pathlib import Path

import click

from retention.cli.audit import verify
from retention.cli.base import Session, with_session
from retention.cli.display import good, local, telling
from retention.model.answers.proof import PublishedChecked
from retention.model.errors import UsageError, VerificationError


@click.command("copy")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="This published directory; else the one that the configuration names.",
)
@with_session
def copy(session: Session, directory: Path, source: Path | None) -> int:
    """A copy of the published log that verifies, whatever the service does meanwhile.

    It has all that is under the signed head when it begins, and nothing beyond. Broken
    off, or into an earlier copy, it goes on from what is there. It needs no role: who may
    read the published directory may copy it.

    \b
    Example:
      retention audit copy /media/usb/log
      retention audit copy /media/usb/log --from /srv/www/log

    Exit status 5: what was copied is not what was written.
    """
    from retention.publication.copy import Copy
    from retention.tlog.copied import DirectorySource
    from retention.tlog.known_key import named_key
    from retention.tlog.note import parse_vkey

    source = session.settings.published_log if source is None else source
    verifier = parse_vkey(named_key(DirectorySource(source).published))
    _refuse(directory, source)
    there = (directory / "checkpoint").exists()
    for afresh in (False, True):
        with telling() as tell:
            Copy(source, directory).to_head(verify.progress(tell), afresh=afresh)
        copied = DirectorySource(directory)
        answer = verify.check(copied, verifier)
        if answer.ok or not there:
            break  # else an earlier copy has not what its head says: compare every file
    session.answer(answer, _copied, copied.zone)
    return 0 if answer.ok else VerificationError.exit_status


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
    signed = local(answer.signed_at, zone, "an unknown time")
    done = good(f"Entries 0 to {answer.entries - 1}, signed at {signed}; verified.")
    facts = verify.facts_text(answer, zone)
    return (
        f"{done}\n\n{facts}\n\nThe key is the one that the log names: compare its "
        "fingerprint with the one on paper."
    )
