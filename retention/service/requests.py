"""How requests reach the service: those that come in, and those that waited for it."""

from __future__ import annotations

import json
from pathlib import Path

from retention.catalogue.db import Priority
from retention.control import described, guards, members, periods, verbs
from retention.model.errors import CatalogueError, RetentionError, StaleError
from retention.model.values import Actor, Micros
from retention.service import spool
from retention.service.api import arguments
from retention.service.api.dispatch import Dispatch
from retention.service.api.server import Server
from retention.site import clock
from retention.site.caller import UNSET_LOGIN, name_of
from retention.site.journal import log as journal

STOP_SECONDS = 20.0
"""For the answers that are being made when the service ends."""

LONGEST_ALARM = 3_000
_MORE = ". And more: see to every file there that ends in .refused"

LONGEST_REASON = 500
"""Characters of why a request was refused, on record and in an alarm."""


class Requests:
    """Answers from `open` to `close`; `take_in` is called before anything is deleted
    and then in each round."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._core = dispatch.core
        self._alarms = dispatch.core.alarms
        self._server: Server | None = None
        self._stuck: set[Path] = set()

    def open(self) -> None:
        """Listen; RetentionError where the socket can't be made."""
        self._server = Server(
            self._core.settings.socket,
            self._dispatch.respond,
            door=self._dispatch.door,
        )
        self._server.start()

    def close(self) -> None:
        """Take no more requests, and finish those at hand."""
        if self._server is not None and not self._server.stop(STOP_SECONDS):
            journal.error("api.hanging")
        try:
            self._dispatch.denials.flush(clock.monotonic(), all_=True)
        except CatalogueError as error:
            journal.error("denials.not_on_record", error=str(error))

    def take_in(self, now: Micros) -> None:
        """Carry out what was left in the spool; what can't be is an alarm.

        A crash between a hold and the end of its file leaves both: the same request
        then finds its hold.  CatalogueError where nothing can be written: all stays.
        """
        directory = self._core.settings.spool
        try:
            for left in spool.waiting(directory):
                if left.path not in self._stuck:
                    self._take(left, now)
        except OSError as error:
            self._alarms.trip(
                guards.REQUEST,
                "",
                f"the spool {directory} can't be read ({_why(error)}), and a request to "
                "keep footage may lie in it: put that right",
                now,
            )

    def _take(self, left: spool.Left, now: Micros) -> None:
        try:
            self._carry_out(left)
        except CatalogueError:
            raise
        except StaleError:
            return  # the next round takes it
        except RetentionError as error:
            self._refuse(left, _short(str(error)), now)
            return
        except Exception as error:  # noqa: BLE001 - else each start would end here
            journal.error("request.fault", request=_shown(left.path), exc_info=error)
            fault = f"a fault in this program, {type(error).__name__}"
            self._refuse(left, f"{fault}; the journal has the details", now)
            return
        try:
            spool.taken(left)
        except OSError as error:
            self._leave_there(left, error)  # its hold is there, and found again
        journal.info("request.taken_in", request=_shown(left.path), uid=left.uid)

    def _carry_out(self, left: spool.Left) -> None:
        if left.fault is not None:
            raise RetentionError(left.fault)
        roles = self._dispatch.roles(left.uid)
        role = verbs.role_for(left.verb, roles)
        name = name_of(left.uid)
        if role is None:
            shown = name or f"user {left.uid}"
            raise RetentionError(verbs.refusal(left.verb, roles, shown, left.uid))
        if "request" not in left.arguments:
            raise RetentionError(
                "it has no `request`, by which it is known when it is met again"
            )
        given = arguments.checked(left.verb, json.dumps(left.arguments).encode())
        # The kernel kept the file's owner; which session wrote it, it did not.
        who = Actor(left.uid, UNSET_LOGIN, 0, role, name)
        self._dispatch.perform(left.verb, given, who)

    def _refuse(self, left: spool.Left, why: str, now: Micros) -> None:
        who = name_of(left.uid) or f"user {left.uid}"
        shown = _shown(left.path)
        with self._core.catalogue.write(Priority.HOLD, self._core.by(now)) as tx:
            verb = left.verb or "none"
            tx.append("request.refused", verb=verb, request=shown, reason=why)
        try:
            shown = _shown(spool.refused(left))
        except OSError as error:
            self._leave_there(left, error)
        detail = (
            f"a request that {who} left while the service was down can't be carried "
            f"out ({why}); it lies in {left.path.parent} as {shown}"
        )
        self._alarms.trip(guards.REQUEST, "", self._besides(detail), now)

    def _besides(self, detail: str) -> str:
        """What was refused before and nobody has seen to yet stays in the alarm."""
        known = self._alarms.detail(guards.REQUEST)
        if known is None or detail in known:
            return known or detail
        if len(known) + len(detail) > LONGEST_ALARM:
            return known if known.endswith(_MORE) else known + _MORE
        return f"{known}. Also {detail}"

    def _leave_there(self, left: spool.Left, error: OSError) -> None:
        """What can't be moved out of the way is not looked at in every round, and
        keeps no other request waiting."""
        self._stuck.add(left.path)
        journal.error("request.stuck", request=_shown(left.path), error=_why(error))

    def look_around(self, now: Micros) -> None:
        """What changed without a request goes on record: who has which role, what the
        settings say of the site, and what they propose by now."""
        core = self._core
        members.note(core.context(now, core.actor))
        described.note(core.catalogue, core.by(now), core.settings)
        periods.apply(core.catalogue, core.by(now), core.settings)

    def tick(self, now: Micros) -> None:
        """The round: what came meanwhile, what was only counted, what was ruled on."""
        self.take_in(now)
        self._alarms.recall()
        self._dispatch.denials.flush(clock.monotonic())


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def _short(text: str) -> str:
    """A refusal may repeat what was asked for, which may be longer than any entry."""
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + " ..."


def _shown(path: Path) -> str:
    """A file's name as text: whoever left it chose its bytes."""
    return path.name if path.name.isprintable() else ascii(path.name)
