"""Gathers what a report rests on, of a published copy as of any log, and keeps what it adds
up to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from retention.catalogue.figures import Extent, Figures
from retention.model.answers.report import ReportHead
from retention.model.errors import UsageError, VerificationError, WithheldError
from retention.model.localtime import Moment, format_utc
from retention.model.values import Micros
from retention.reports.evidence import Evidence
from retention.tlog import cameras, canonical, entry, figures, known_key, note
from retention.tlog.canonical import UNREADABLE
from retention.tlog.copied import DirectorySource
from retention.tlog.source import Believed, Source

SLICE = 25_000
"""Rows that are folded in one transaction."""

Tell = Callable[[str], object]

_open: dict[Path, Figures] = {}
_opening = threading.Lock()


def figures_at(path: Path) -> Figures:
    """The figures of a file: one value in a process, for whoever reads or moves them on."""
    with _opening:
        return _open.setdefault(path, Figures(path))


@contextmanager
def published(
    directory: Path,
    key: str | None,
    cache: Path,
    now: Micros,
    tell: Tell,
    *,
    anew: bool = False,
    public: bool = False,
) -> Iterator[Evidence]:
    """A published copy up to its signed head, which is signed with `key` or, without, with
    that which the directory names.  Its entries must be those that the head signs, and
    rows those of their entries; whether the log was written anew, only a head that was
    kept elsewhere tells.  What it adds up to is kept in the directory `cache`, and
    is made `anew` where that is asked.  A `public` copy will do only where that is said:
    nothing is added up of one."""
    source = DirectorySource(directory)
    is_public = source.published.is_public
    if is_public and not public:
        raise WithheldError(
            f"{directory} is a public copy, from which recordings, holds and people are "
            "withheld: this report takes the log, or a whole copy of it; `retention "
            "report foi` tells what the public can check"
        )
    given = known_key.named_key(source.published) if key is None else key
    verifier = known_key.verifier_of(given, source.published)
    head = note.open_checkpoint(source.published.checkpoint_bytes(), verifier)
    if not head.size:
        raise UsageError(f"{directory} is no published log: it has no entries")
    if source.root() != head.root:
        raise VerificationError(
            f"{directory} holds other entries than its head signs: `retention audit "
            f"verify {directory} --key KEY` tells which"
        )
    reading = Folding(source, head.origin, head.size)
    place = sha256(f"{head.origin}\n{directory.resolve()}".encode()).hexdigest()[:16]
    with figures_at(cache / f"{place}.db").used() as kept:
        if is_public:
            empty = kept.begin(head.origin, reading.zone)
            last = source.ends() or reading.began
            moment = Moment(reading.zone, now)
            yield reading.evidence(kept, empty, head.root, moment, last)
            return
        if anew:
            kept.forget()
        while (covered := reading.step(kept)).size < head.size:
            tell(f"adding up the log: {covered.size:,} of {head.size:,} entries")
        yield reading.evidence(kept, covered, head.root, Moment(reading.zone, now))


class Folding:
    """A log up to its head, and the figures of it that are being made."""

    def __init__(self, source: Source, origin: str, size: int) -> None:
        self.source, self.origin, self.size = Believed(source), origin, size
        try:
            first = source.entry(0).entry
            self.site = str(first["site"])
            self.zone = entry.zone(first)
            self.began = int(first["at"])
        except UNREADABLE as error:
            raise VerificationError(
                f"the first entry of {origin} opens no log ({error!r}): run `retention "
                "audit verify`"
            ) from error

    def step(self, kept: Figures) -> Extent:
        """Fold one slice; where what is kept is not of this log, begin anew."""
        before = kept.covered()
        if before is None or not self._is_of_this(before):
            before = kept.begin(self.origin, self.zone)
        if before.size == self.size:
            return before
        fold = figures.Fold(self.zone, before.known, self.source.entry)
        size = self.size
        for record in self.source.of_kinds(figures.KINDS, before.size):
            fold.take(record)
            if fold.found.rows >= SLICE:
                size = record.number + 1
                break
        last = self._digest(size - 1)
        after = Extent(self.origin, self.zone, size, last, fold.known)
        kept.advance(fold.folded(), before, after)
        return after

    def _is_of_this(self, kept: Extent) -> bool:
        """Entries are chained: where the last one is the same, all are."""
        return (kept.origin, kept.zone) == (self.origin, self.zone) and (
            kept.size == 0
            or (kept.size <= self.size and kept.last == self._digest(kept.size - 1))
        )

    def _digest(self, number: int) -> str:
        return sha256(canonical.encode(self.source.entry(number).entry)).hexdigest()

    def evidence(
        self,
        kept: Figures,
        covered: Extent,
        root: bytes,
        moment: Moment,
        public: Micros | None = None,
    ) -> Evidence:
        """All that a report needs; `public` is when the last entry was written that is in a
        public copy, where it is one."""
        written = public
        if written is None:
            written = self.source.entry(self.size - 1).entry["at"]
        return Evidence(
            source=self.source,
            figures=kept,
            known=covered.known,
            head=ReportHead(self.origin, self.size, root.hex(), format_utc(written)),
            began=self.began,
            written=written,
            site=self.site,
            zone=self.zone,
            cameras=cameras.logged(self.source),
            moment=Moment(self.zone, moment.now, moment.doubt),
            public=public is not None,
        )
