"""What a certificate has that no other report has: proofs beside it, and an exit status."""

from __future__ import annotations

from pathlib import Path

from retention.cli.base import Session
from retention.cli.display import note
from retention.model.answers.report import Report


def status(found: Report) -> int:
    """How the command ends: a certificate says with it whether footage is there."""
    if found.name != "certificate":
        return 0
    from retention.reports.certificate import exit_status

    return exit_status(found)


def prove(
    session: Session, found: Report, directory: Path | None, proofs: Path
) -> None:
    """Write the proof of each recording that a certificate names as gone, one to a file."""
    from retention.model.answers.proof import Proof
    from retention.reports.certificate import provable
    from retention.reports.published_copy import PublishedCopy
    from retention.site.clock import read

    copy = None if directory is None else PublishedCopy(directory)
    proofs.mkdir(parents=True)
    number = 0
    for entry, row in provable(found):
        if copy is None:
            one = session.ask("audit.prove", Proof, entry=entry, row=row)
        else:
            one = copy.prove(read().wall, entry, row, None, None)
        (proofs / f"{entry}-{row}.tlog-proof").write_text(one.proof, encoding="utf-8")
        number += 1
    note(f"Written: {number:,} proofs in {proofs}")
