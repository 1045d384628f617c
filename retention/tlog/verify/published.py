"""Owns the verification of a published log, from the directory and a public key alone.

`check` reads all of it once and says whether it is what was written.  Only where it is
not, `locate` reads again and says what is wrong, and where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from retention.tlog.directory import CHECKPOINT, Published
from retention.tlog.known_key import verifier_of
from retention.tlog.note import Verifier
from retention.tlog.verify.check import Check, Misfit, Progress
from retention.tlog.verify.findings import Depth, Fault, Verification
from retention.tlog.verify.locate import Locate

__all__ = ["Published", "compare_root", "verifier_of", "verify", "verify_directory"]


def verify_directory(
    directory: Path,
    key: Verifier | str,
    *,
    since: Iterable[tuple[str, bytes]] = (),
    depth: str = Depth.TREE,
    progress: Progress | None = None,
    jobs: int = 1,
    head: str = CHECKPOINT,
) -> Verification:
    """Check a published log; the report says up to where it is intact, or what is wrong.

    `key` is a verifier, or what `verifier_of` takes.  `since` are older checkpoints that
    somebody kept: a name for each, and its bytes.  `jobs` processes read row files.
    `head` is where the directory has the checkpoint to check it by.
    Raises VerificationError where something can't be read at all, or has another key.
    """
    published = Published(directory, head)
    verifier = key if isinstance(key, Verifier) else verifier_of(key, published)
    return verify(published, verifier, tuple(since), Depth(depth), jobs, progress)


def verify(
    published: Published,
    verifier: Verifier,
    since: Sequence[tuple[str, bytes]] = (),
    depth: Depth = Depth.TREE,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Verification:
    """The same of a directory that was opened."""
    given = published, verifier, since, depth, jobs, progress
    try:
        return Check(*given).run()
    except Misfit:
        report = Locate(*given).run()
    if report.ok:
        what = (
            "what did not fit when it was read first did when it was read again: the log "
            "is being written just now, or its disk can't be trusted"
        )
        report.add(Fault(None, what))
    return report


def compare_root(
    report: Verification, published: Published, size: int, root: bytes
) -> None:
    """Hold a log that was found intact against a root that somebody noted of its first
    `size` entries; what differs goes into the report."""
    name = f"the root of {size} entries on paper"
    if not report.ok:
        return
    if size > report.size:
        report.add(
            Fault(
                report.size,
                f"is not under the checkpoint any more: {name} is of more entries; the "
                "log was cut or rolled back",
            )
        )
    elif published.reader(report.size).root(size) == root:
        report.extends.append(name)
    else:
        report.intact = 0
        report.add(
            Fault(
                0,
                f"or a later one below {size} was rewritten since, or the root was "
                f"mistyped: {name} is another one",
            )
        )
