"""A published log as people read it, without the service.

What is shown is as it lies there, up to the signed head: `verify.published` verifies, and
nothing else does.
Committed fields stay closed, since what opens them is not published.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from retention.model.answers.audit import EntryList, EntryShown
from retention.model.answers.books import BookBalance, BookFindings
from retention.model.answers.proof import LogKey, NewestCheckpoint, Proof
from retention.model.errors import RetentionError, WithheldError
from retention.model.localtime import Moment, format_utc
from retention.model.values import Micros
from retention.reports import answers, books, entries, proofs
from retention.reports.answers import WITHHELD
from retention.reports.copied_site import CopiedSite
from retention.reports.entries import ListRequest
from retention.tlog import note
from retention.tlog.copied import DirectorySource
from retention.tlog.known_key import named_key


class PublishedCopy:
    """A published directory; UsageError where it is none.

    `unsigned`: what lies beyond its signed head is shown too, and marked.
    """

    def __init__(self, directory: Path, *, unsigned: bool = False) -> None:
        self.directory = directory
        self.source = DirectorySource(directory, unsigned=unsigned)
        self.published = self.source.published
        self.zone = self.source.zone

    def named_key(self) -> LogKey:
        """As the verb audit.key, but what the directory says of itself."""
        return proofs.key_answer(note.parse_vkey(named_key(self.published)))

    def checkpoint(self) -> NewestCheckpoint:
        """As the verb audit.checkpoint; it must be signed with the directory's key."""
        data = self.published.checkpoint_bytes()
        head = note.open_checkpoint(data, note.parse_vkey(named_key(self.published)))
        if not head.size:
            raise RetentionError(f"the checkpoint in {self.directory} covers no entry")
        written = self._written(head.size - 1)
        key = self.named_key()
        return NewestCheckpoint(
            origin=key.origin,
            vkey=key.vkey,
            fingerprint=key.fingerprint,
            checkpoint=data.decode(),
            size=head.size,
            root=head.root.hex(),
            written=written,
            published=str(self.directory),
        )

    def _written(self, number: int) -> str:
        """When an entry was; empty where that is withheld."""
        try:
            return format_utc(self.source.entry(number).entry["at"])
        except WithheldError:
            return ""

    def show(self, number: int) -> EntryShown:
        """As the verb audit.show."""
        return self._marked(entries.entry(self.source, number))

    def listing(self, asked: ListRequest, now: Micros) -> EntryList:
        """As the verb audit.list."""
        answer = entries.entries(
            self.source, asked, Moment(self.zone, now), self._key_of
        )
        shown = [self._marked(one) for one in answer.entries]
        source = self.source
        return replace(
            answer, entries=shown, signed=source.signed, beyond=source.beyond,
            withheld=self._withheld(),
        )  # fmt: skip

    def find(self, now: Micros, **asked: str | None) -> BookFindings:
        """As the verb audit.find, but for what is there."""
        self.source.doubted.clear()
        answer = books.find(self.source, self._site(), now, **asked)
        if self.source.published.is_public:
            answer = answers.withheld(answer)
        return replace(answer, **self._rests_on())

    def balance(self, now: Micros, **asked: Any) -> BookBalance:
        """As the verb audit.balance, without what is there."""
        self.source.doubted.clear()
        answer = books.balance(self.source, self._site(), now, **asked)
        if self.source.published.is_public:
            answer = replace(answer, balanced=None, summary=f"the books are {WITHHELD}")
        return replace(answer, **self._rests_on())

    def _marked(self, entry: EntryShown) -> EntryShown:
        return replace(entry, signed=entry.signed is None)

    def _rests_on(self) -> dict[str, Any]:
        source = self.source
        beyond = (n for n, one in source.doubted.items() if not one.came_back)
        return {
            "signed": source.signed,
            "withheld": self._withheld(),
            "beyond": source.beyond,
            "unsigned": sorted(beyond),
        }

    def _withheld(self) -> int | None:
        """How many entries a public copy has not; None of a whole log."""
        return self.source.withheld if self.published.is_public else None

    def prove(
        self,
        now: Micros,
        entry: int | None,
        row: int | None,
        camera: str | None,
        at: str | None,
    ) -> Proof:
        """As the verb audit.prove, but that nothing is disclosed."""
        if camera is not None and at is not None:
            if self.published.is_public:
                raise WithheldError(f"what became of recordings is {WITHHELD}")
            entry, row = proofs.camera_at(
                self.source, camera, at, Moment(self.zone, now), self._key_of
            )
        return proofs.prove(
            self.source,
            self.published,
            named_key(self.published),
            int(entry or 0),
            row,
        )

    def _site(self) -> CopiedSite:
        return CopiedSite(self.source, self.zone)

    def _key_of(self, id: str) -> int:
        return self._site().key(id)
