"""The daemon's publication: compared at start, then kept up; what fails stops deletion.

Heads are signed at once for what people change and for each batch's intent, before its
first unlink; else once a minute in which something changed, and at every stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from retention.catalogue.db import Priority, put_fact
from retention.control import guards
from retention.model.errors import (
    AlteredError,
    CatalogueError,
    PublicationError,
    RetentionError,
    VerificationError,
)
from retention.model.values import MINUTE, SECOND, Micros
from retention.publication import (
    compare,
    log_key,
    memories,
    restoring,
    slices,
    succeeding,
)
from retention.publication.publisher import Publisher, problem
from retention.service.copying import Copying
from retention.site import clock
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.catalogue.heads import SignedHead
    from retention.catalogue.log import Log
    from retention.control.alarms import Alarms
    from retention.model.values import Actor
    from retention.site.settings import Settings
    from retention.tlog.note import Head, Verifier

EVERY: Micros = MINUTE - SECOND
"""Between two heads that nobody waits for; a round that comes early still counts."""


class Publishing:
    """Compares when it is made, and may then be used from any thread.

    `trouble` says why the log is not published as it should be, None while it is;
    `guard` is what that trips; `succession` what this log says of those before it.  `in_roots` reads the heads that footage roots have.
    `alive` is called while a long comparison or restoration gets on.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        log: Log,
        actor: Actor,
        crashed: Callable[[str, BaseException], None],
        in_roots: Callable[[Verifier], Iterable[tuple[str, bytes]]] = lambda _: (),
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.trouble: str | None = None
        self.guard = guards.LOG
        self.verifier: Verifier | None = None
        self.lost: Head | None = None
        self.succession = ""
        self._went_on = False
        self.told: list[Callable[[SignedHead], None]] = [self._journal]
        self._in_roots = in_roots
        self._journalled = memories.Journalled()
        self._altered: str | None = None
        self._settings = settings
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._publisher: Publisher | None = None
        self._headed: Micros | None = None
        self._slices: slices.Slices | None = None
        self._compared: Micros | None = None
        self._copying: Copying | None = None
        if settings.log_copy is not None:
            self._copying = Copying(
                settings.published_log, settings.log_copy, self.meet, crashed
            )
        self._noted: dict[str, Any] = {}
        try:
            self._open(alive)
        except (RetentionError, OSError) as error:
            self._refuse(str(error))

    def _open(self, alive: Callable[[], None]) -> None:
        """The comparison, and what follows from it, before anything is appended."""
        settings, catalogue = self._settings, self._catalogue
        self.verifier = compare.verifier_of(catalogue)
        succeeding.set_aside(catalogue, settings)
        verifier = compare.remembered(catalogue, settings.published_log)
        in_roots = self._in_roots(verifier)
        self._journalled = memories.journal(verifier)
        found = compare.compare(
            catalogue,
            settings.published_log,
            settings.log_copy,
            memories.kept(settings.state_directory, in_roots, self._journalled),
            alive,
        )
        journal.info("log.compared", case=str(found.case), entries=found.size)
        if found.tail is not None:
            journal.error("catalogue.restored", detail=found.detail)
            restoring.bring_back(catalogue, found, alive)
        self._went_on = found.case is compare.Case.FORKED or bool(
            found.lost and found.lost.succession
        )
        if found.lost is not None and self._succeeds(found.lost):
            self._open(alive)
            return
        if found.case.refused:
            self._refuse(f"{found.case}: {found.detail}", found.lost)
            return
        if found.adopt is not None:
            restoring.adopt(catalogue, found.adopt)
        # Not the same where what came back opened a successor.
        self.verifier = verifier = compare.verifier_of(catalogue)
        key = log_key.load(settings.state_directory)
        log_key.check(key, catalogue)
        self.succession = log_key.succession(key, catalogue, verifier.name)
        self._publisher = Publisher(
            catalogue, verifier.name, key, settings.published_log,
            settings.state_directory, self._tell, alive,
        )  # fmt: skip

    def _succeeds(self, lost: Head) -> bool:
        """Open a successor of the log where two people agreed to it; whether."""
        author = self._log.by(self._actor, clock.read().wall)
        done = succeeding.open_agreed(self._catalogue, author, lost)
        if done:
            journal.error("log.succeeded", lost=lost.where, entries=lost.size)
        return done

    def _refuse(self, why: str, lost: Head | None = None) -> None:
        """Nothing is signed or published any more; `lost`: a head that was met, whose
        entries the catalogue lacks."""
        self.trouble = self._altered = why
        if self._publisher is not None:
            self._publisher.refused = why
        if lost is not None:
            self.guard, self.lost = guards.CATALOGUE, lost
        journal.error("log.not_published", detail=why)

    def meet(self, head: Head) -> bool:
        """A memory is there that was not when all were compared: whether its head is of
        the catalogue's own entries.  Else nothing is signed from now on."""
        if self.lost is not None:
            return False
        why = compare.differs(self._catalogue, head)
        if why is not None:
            self._refuse(why, head)
            succeeding.note_lost(self._catalogue, head, went_on=True)
        return why is None

    def _journal(self, signed: SignedHead) -> None:
        more = {"succession": self.succession} if self.succession else {}
        journal.info(memories.EVENT, size=signed.size, note=signed.note, **more)

    def _tell(self, signed: SignedHead) -> None:
        for told in self.told:
            told(signed)

    def begin(self, alarms: Alarms, now: Micros) -> None:
        """A restoration goes on record before anything else, and what forbids to
        publish trips its guard.  CatalogueError where nothing can be written."""
        done = restoring.on_record(self._catalogue, self._log.by(self._actor, now))
        if done is not None:
            journal.error("catalogue.restored", **done)
        succeeding.note_lost(self._catalogue, self.lost, went_on=self._went_on)
        if self.trouble is not None:
            alarms.trip(self.guard, "", self.trouble, now, writable=True)
        if self._copying is not None:
            self._copying.start()

    def answer(self, now: Micros, *, mend: bool = False) -> str | None:
        """Publish what a request changed, with its head; None, or what to tell its
        caller: the change stands.  `mend`: and write again what is missing there."""
        try:
            if mend and self._publisher is not None:
                self._publisher.mend(now)
                self._altered = None
            self._publish(now)
        except (PublicationError, CatalogueError) as error:
            self._note(error)
            return problem(error)
        self._copy(head=True)
        return None

    def _note(self, error: RetentionError) -> None:
        """What was altered stays so, though what is new may still be published: until a
        person has every file compared again."""
        self.trouble = str(error)
        if isinstance(error, AlteredError):
            self._altered = self.trouble

    def intent(self, size: int, now: Micros) -> None:
        """Have the first `size` entries published under a head.

        PublicationError where they can't be, or what was published was altered: then
        nothing of the batch is unlinked.
        """
        publisher = self._publisher
        if publisher is None or not publisher.covers(size):
            self._publish(now)
        if self._altered is not None:
            raise PublicationError(self._altered)

    def _publish(self, now: Micros) -> None:
        if self._publisher is None:
            raise PublicationError(self.trouble or "the audit log is not published")
        self._publisher.publish(now)
        self._headed = clock.monotonic()
        self._altered = self._altered or self._publisher.altered
        self.trouble = self._altered

    def tick(self, alarms: Alarms, now: Micros) -> None:
        """The round: a head where its minute is over, or trouble may be; the guard.

        CatalogueError where nothing can be written at all.
        """
        restoring.on_record(self._catalogue, self._log.by(self._actor, now))
        self._compare_some()
        before = self._headed
        if before is None or self.trouble or clock.monotonic() - before >= EVERY:
            self.catch_up(alarms, now)
        self._copy(head=False)

    def _copy(self, *, head: bool) -> None:
        """Have the second directory follow what this service publishes: not what it must
        not go on with, which may well be behind it."""
        publisher = self._publisher
        if self._copying is not None and publisher and publisher.refused is None:
            self._copying.trigger(head=head)

    def _compare_some(self) -> None:
        """All that was published, bit by bit within a day, and what is newest first; what
        was altered stays an alarm until a person has every file compared."""
        publisher = self._publisher
        if publisher is None or self._altered is not None or not publisher.published:
            return
        at = clock.monotonic()
        if self._compared is not None and at - self._compared < EVERY:
            return
        self._compared = at
        if self._slices is None:
            directory = self._settings.published_log
            self._slices = slices.Slices(self._catalogue, directory, publisher.whose)
        try:
            self._slices.step(publisher.published)
        except (PublicationError, VerificationError) as error:
            self._note(error)

    def catch_up(self, alarms: Alarms, now: Micros) -> None:
        """Publish all there is under a head; what fails trips the guard."""
        try:
            self._publish(now)
        except PublicationError as error:
            self._note(error)
        if self.trouble is not None:
            alarms.trip(self.guard, "", self.trouble, now, writable=True)

    # -- what remembers the newest head ----------------------------------------------

    def look_into_journal(self) -> None:
        """How far it remembers by now; it may take some seconds."""
        if self.verifier is not None:
            self._journalled = memories.journal(self.verifier)

    def note_memories(self, in_roots: dict[str, Any]) -> None:
        """For `status` and the alarm, which must not wait for a disk or a share.

        CatalogueError where nothing can be written.
        """
        found: dict[str, Any] = {memories.ROOTS_FACT: in_roots}
        head, fault = self._journalled
        size = None if head is None else head.size
        found[memories.JOURNAL_FACT] = {"size": size, "fault": fault}
        if self._copying is not None:
            found[memories.COPY_FACT] = self._copying.told()
        if found == self._noted:
            return
        with self._catalogue.write(Priority.SCAN) as tx:
            for name, value in found.items():
                put_fact(tx, name, value)
        self._noted = found

    def stop(self) -> None:
        """Nothing is copied any more."""
        if self._copying is not None:
            self._copying.stop()
