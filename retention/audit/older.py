"""Owns older checkpoints: those that the auditor brought, and those of earlier days that
the directory keeps; where the log extends them, and what it means where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from retention.audit import note
from retention.audit.canonical import base64url
from retention.audit.directory import Published
from retention.audit.finding import Fault, Report
from retention.audit.note import Checkpoint, Verifier
from retention.errors import VerificationError


class _Older(NamedTuple):
    size: int
    name: str
    root: bytes
    brought: bool


class Older:
    """Each is met once, as the tree comes to its size; `met` are those it extends."""

    def __init__(self) -> None:
        self.met: list[_Older] = []
        self._waiting: list[_Older] = []
        self._other: _Older | None = None

    def remember(
        self, notes: Iterable[tuple[str, bytes]], verifier: Verifier, *, brought: bool
    ) -> Iterator[Fault]:
        """Open checkpoints before the first is met; faults of those that can't be."""
        for name, data in notes:
            try:
                found = note.open_checkpoint(data, verifier)
            except VerificationError as error:
                yield Fault(None, f"{name}: {error}")
            else:
                self._waiting.append(_Older(found.size, name, found.root, brought))
        self._waiting.sort(reverse=True)

    def meet(self, size: int, root: Callable[[int], bytes | None]) -> None:
        """The tree has come to `size`; `root` gives that of a smaller or equal one, None
        where it is not known."""
        while self._waiting and self._waiting[-1].size <= size:
            older = self._waiting.pop()
            found = root(older.size)
            if found == older.root:
                self.met.append(older)
            elif found is not None and self._other is None:
                self._other = older

    def meet_ahead(self, size: int, root: Callable[[], bytes]) -> None:
        """The entries go on to `size`, which is more than the head signs.

        A kept checkpoint of that size is one whose publication a kill interrupted: it
        is kept before the head is replaced.  What the auditor brought was the head once.
        """
        for older in self._waiting:
            if older.size == size and not older.brought and older.root == root():
                self._waiting.remove(older)
                self.met.append(older)
                return

    def unsigned(self, head: Checkpoint, root: bytes) -> Fault:
        """The tree over all entries is not the one that the head signs."""
        first = max((older.size for older in self.met), default=0)
        last = self._other.size if self._other else head.size
        return Fault(
            first,
            f"or a later one below {last} is not what was signed: the tree over all is "
            f"{base64url(root)}, the checkpoint of {head.size} says "
            f"{base64url(head.root)}",
        )

    def forks(self) -> Iterator[Fault]:
        """The head is right: older checkpoints that its log does not extend."""
        if self._other is not None:
            # Who has the key can sign what the directory keeps anew: only what was
            # brought shows up to where the log is still the old one.
            first = max((older.size for older in self.met if older.brought), default=0)
            size, name = self._other.size, self._other.name
            yield Fault(
                min(first, max(size - 1, 0)),
                f"or a later one below {size} was rewritten since: {name} was signed "
                f"over another log of {size} entries, so this one is a fork",
            )

    def ahead(self, head: Checkpoint) -> str | None:
        """The largest kept head of entries that are there and that the head does not
        cover: its publication was interrupted, or an old head was put back."""
        found = max(self.met, default=None)
        if found is None or found.size <= head.size:
            return None
        return f"{found.name} signs {found.size:,} entries"

    def larger(self, head: Checkpoint) -> Iterator[Fault]:
        """Older checkpoints that signed more than the head does."""
        for older in self._waiting:
            yield Fault(
                head.size,
                f"is not under the checkpoint any more: {older.name} signed "
                f"{older.size} entries, the head signs {head.size}; the log was cut or "
                "rolled back",
            )


def compare_root(report: Report, published: Published, size: int, root: bytes) -> None:
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
