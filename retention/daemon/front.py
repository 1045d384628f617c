"""The service's front: the desk where requests come in, and those that waited for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from retention import access, clock, guards, members, spool
from retention.api import arguments
from retention.api.desk import Desk
from retention.api.server import Server
from retention.caller import UNSET_LOGIN, name_of
from retention.catalogue.db import Priority
from retention.context import Context
from retention.daemon.journal import log as journal
from retention.errors import CatalogueError, RetentionError
from retention.model import SECOND, Actor, Entry, Micros

if TYPE_CHECKING:
    from retention.daemon.alarms import Alarms
    from retention.daemon.root_work import RootWork

STOP_SECONDS = 20.0
"""For the answers that are being made when the service ends."""


class Front:
    """Answers from `open` to `close`; `take_in` is called before anything is deleted
    and then in each round."""

    def __init__(self, desk: Desk, alarms: Alarms, actor: Actor) -> None:
        self._desk = desk
        self._alarms = alarms
        self._actor = actor
        self._server: Server | None = None

    def open(self) -> None:
        """Listen; RetentionError where the socket can't be made."""
        self._server = Server(self._desk.settings.socket, self._desk.respond)
        self._server.start()

    def close(self) -> None:
        """Take no more requests, and finish those at hand."""
        if self._server is not None and not self._server.stop(STOP_SECONDS):
            journal.error("api.hanging")

    def take_in(self, now: Micros) -> None:
        """Carry out what was left in the spool; what can't be is an alarm.

        A crash between a hold and the end of its file leaves both: the same request
        then finds its hold.  CatalogueError where nothing can be written: all stays.
        """
        directory = self._desk.settings.spool
        try:
            for left in spool.waiting(directory):
                self._take(left, now)
        except OSError as error:
            why = error.strerror or str(error)
            self._alarms.trip(
                guards.REQUEST,
                "",
                f"the spool {directory} can't be read ({why}), and a request to keep "
                "footage may lie in it: put that right",
                now,
            )

    def _take(self, left: spool.Left, now: Micros) -> None:
        try:
            self._carry_out(left)
        except CatalogueError:
            raise
        except RetentionError as error:
            self._refuse(left, str(error), now)
            return
        spool.taken(left)
        journal.info("request.taken_in", request=left.path.name, uid=left.uid)

    def _carry_out(self, left: spool.Left) -> None:
        if left.fault is not None:
            raise RetentionError(left.fault)
        roles = self._desk.roles(left.uid, left.gid)
        role = access.role_for(left.verb, roles)
        name = name_of(left.uid)
        if role is None:
            shown = name or f"user {left.uid}"
            raise RetentionError(access.refusal(left.verb, roles, shown, left.uid))
        given = arguments.checked(left.verb, left.arguments)
        # The kernel kept the file's owner; which session wrote it, it did not.
        who = Actor(left.uid, UNSET_LOGIN, 0, role, name)
        self._desk.perform(left.verb, given, who)

    def _refuse(self, left: spool.Left, why: str, now: Micros) -> None:
        who = name_of(left.uid) or f"user {left.uid}"
        fields = {"verb": left.verb or "none", "request": left.path.name, "reason": why}
        entry = Entry("request.refused", now, self._actor, fields)
        with self._desk.catalogue.write(Priority.HOLD) as tx:
            self._desk.log.append(tx, entry)
        kept = spool.refused(left)
        self._alarms.trip(
            guards.REQUEST,
            "",
            f"a request that {who} left while the service was down can't be carried "
            f"out ({why}); it lies in {kept}",
            now,
        )

    def note_members(self, now: Micros) -> None:
        """Who has which role by now; a difference goes on record."""
        desk = self._desk
        members.note(Context(desk.settings, desk.catalogue, desk.log, now, self._actor))

    def tick(self, now: Micros) -> None:
        """The round: what came meanwhile, what was only counted, what was ruled on."""
        self.take_in(now)
        self._alarms.recall(guards.REQUEST)
        self._desk.denials.flush(clock.monotonic())


def look_at(
    works: Collection[RootWork],
) -> Callable[[Collection[str], float], set[str]]:
    """The `look` of a request: scan these roots now; the names of those that did not
    finish in so many seconds, all together."""

    def look(names: Collection[str], seconds: float) -> set[str]:
        until = clock.monotonic() + int(seconds * SECOND)
        looks = {work.name: work.look() for work in works if work.name in names}
        unfinished = set(names) - looks.keys()
        for name, one in looks.items():
            left = max(0.0, (until - clock.monotonic()) / SECOND)
            if not one.done.wait(left) or not one.complete:
                unfinished.add(name)
        return unfinished

    return look
