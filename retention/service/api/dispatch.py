"""Where requests become verbs: who asks, may they, is it well formed; then it is done.

Each request is judged anew: nothing is remembered of a caller between two of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from retention import __version__
from retention.control import alarms, guards, rules, verbs
from retention.control.verbs import VERBS
from retention.model import codec
from retention.model.errors import (
    CatalogueError,
    GuardError,
    NotPermittedError,
    RetentionError,
    kind_of,
)
from retention.model.values import NOBODY, SECOND, Actor, Micros
from retention.service.api import arguments
from retention.service.api import peer as peers
from retention.service.api.denials import BY_ROLE, CONNECTION, Denials
from retention.service.api.server import Answer, Door, Request, encoded, problem
from retention.site import clock
from retention.site.caller import UNSET_LOGIN

if TYPE_CHECKING:
    from retention.control.context import Inspect
    from retention.service.api.peer import Peer
    from retention.service.core import Core

PREFIX = "/v1/"
ALIVE = "/v1/alive"
"""Asked before a request whose own answer may take long."""

ONE_PERSON = (
    "one person alone can release evidence here: two-person release is off "
    "(release_requires_two_people)"
)

_KNOWN_FOR = 10 * SECOND
_MOST_KNOWN = 1_000
"""So many users' answers are kept."""

_STATUS = {
    "usage": HTTPStatus.BAD_REQUEST,
    "not_permitted": HTTPStatus.FORBIDDEN,
    "guard": HTTPStatus.SERVICE_UNAVAILABLE,
    "catalogue": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""HTTP's word for a kind of refusal; 409 for all others."""


@dataclass(frozen=True)
class Dispatch:
    """What the answers are made from.

    `rescan` scans roots, `inspect` looks at held files there; `publish` publishes the audit
    log under a signed head, with `mend` also what is missing there, and says why where
    it could not; `crashed` is told of what nobody expected, and the service goes on.
    """

    core: Core
    rescan: Callable[[Collection[str], float], set[str]] | None = None
    publish: Callable[[bool], str | None] | None = None
    crashed: Callable[[str, BaseException], None] = lambda _verb, _error: None
    inspect: Inspect | None = None
    asked: dict[int, tuple[Micros, bool]] = field(default_factory=dict)

    @cached_property
    def denials(self) -> Denials:
        """What was denied, and how often."""
        return Denials(self.core.catalogue, self.core.log)

    def respond(self, request: Request) -> Answer:
        """The answer to a request, whatever it is: never an exception."""
        verb = request.path.removeprefix(PREFIX)
        try:
            if request.method == "GET" and request.path == ALIVE:
                return self._answer(HTTPStatus.OK, {"alive": True})
            if request.method == "GET" and request.path == "/v1":
                return self._answer(HTTPStatus.OK, description())
            if request.method != "POST" or PREFIX + verb != request.path:
                raise _NotFoundError
            return self._answer(HTTPStatus.OK, self._do(request, verb))
        except _NotFoundError:
            text = (
                f"there is no {request.path[:80]!r} here: GET /v1 lists what there is"
            )
            return self._answer(HTTPStatus.NOT_FOUND, problem("usage", text))
        except CatalogueError as error:
            return self._refused(self._stopped(verb, error))
        except RetentionError as error:
            return self._refused(error)
        except Exception as error:  # noqa: BLE001 - the last stop: the caller is told, the service goes on
            self.crashed(verb, error)
            text = (
                f"a fault in the service ({type(error).__name__}): a change is made "
                "whole or not at all, `retention audit list` shows which; its journal "
                "has the details for whoever mends it"
            )
            return self._answer(
                HTTPStatus.INTERNAL_SERVER_ERROR, problem("fault", text)
            )

    def _do(self, request: Request, verb: str) -> dict[str, Any]:
        if verb not in VERBS:
            raise _NotFoundError
        if request.peer is None:
            raise self._denied(
                Actor(UNSET_LOGIN, UNSET_LOGIN, 0, NOBODY),
                verb,
                "the kernel does not say who you are, so you may do nothing here",
            )
        found = self.roles(request.peer.uid)
        role = verbs.role_for(verb, found)
        # Refused, they are still who they are: of a stranger nobody is told.
        who = peers.actor(request.peer, role or next(iter(found), NOBODY))
        if role is None:
            name = who.name or f"user {who.uid}"
            raise self._denied(who, verb, verbs.refusal(verb, found, name, who.uid))
        given = arguments.checked(verb, request.body)
        return self.perform(verb, given, who)

    @property
    def door(self) -> Door:
        """Who may come in, and that who was turned away is counted."""
        return Door(self._known, self._turned_away)

    def _known(self, peer: Peer) -> bool:
        """Whether a user has any role, as it was some seconds ago at most: it is asked of
        each connection, before anybody else's."""
        now = clock.monotonic()
        found = self.asked.get(peer.uid)
        if found is None or now - found[0] > _KNOWN_FOR:
            if len(self.asked) >= _MOST_KNOWN:
                self.asked.clear()
            found = self.asked[peer.uid] = now, bool(self._by_groups(peer))
        return found[1]

    def _turned_away(self, peer: Peer) -> None:
        role = next(iter(self._by_groups(peer)), NOBODY)
        now = clock.monotonic()
        who = peers.actor(peer, role)
        self.denials.count(who, CONNECTION, clock.read().wall, now)

    def _by_groups(self, peer: Peer) -> list[str]:
        """What a user is, whatever the state of the catalogue: at the door nobody is
        there to be told of it, and an error would close that for all."""
        return peers.roles(self.core.settings, peer.uid, one_person=False)

    def roles(self, uid: int) -> list[str]:
        """What a user is here, now."""
        return peers.roles(self.core.settings, uid, one_person=self.one_person)

    @property
    def one_person(self) -> bool:
        """Whether this site does without a second person for a release."""
        with self.core.catalogue.read() as tx:
            return not rules.effective(tx, self.core.settings).two_people

    def perform(self, verb: str, given: dict[str, Any], who: Actor) -> dict[str, Any]:
        """Do the verb for somebody whose role allows it.

        What only keeps footage is stored even on a full disk, in the room that the
        reserve holds for it; were it stored twice, a second hold keeps no less.  What
        people change is published before it is answered, and stands where that fails.
        """
        answer, asked = self._perform(verb, given, who), VERBS[verb]
        if asked.changes and self.publish and not given.get(asked.trial):
            why = self.publish(asked.mends)
            answer = replace(answer, published=why is None, not_published=why)
        said: dict[str, Any] = codec.to_json(answer)
        return said

    def _perform(self, verb: str, given: dict[str, Any], who: Actor) -> Any:
        context = replace(
            self.core.context(self.core.now(), who, self.rescan, self.inspect),
            listed=lambda: peers.listed(self.core.settings, who),
        )
        function = VERBS[verb].resolve()
        try:
            return function(context, **given)
        except NotPermittedError as error:
            why = f"which that role may, and was refused: {error}"
            raise self._denied(who, verb, str(error), why) from error
        except CatalogueError:
            if not VERBS[verb].keeps or not self.core.make_room():
                raise
        return function(context, **given)

    def _denied(
        self, who: Actor, verb: str, told: str, why: str = BY_ROLE
    ) -> NotPermittedError:
        self.denials.note(who, verb, self.core.now(), clock.monotonic(), why)
        return NotPermittedError(told)

    def _stopped(self, verb: str, error: CatalogueError) -> RetentionError:
        """A catalogue that is damaged stops deletion: `status` tells so, and sees to it
        where no round has met it yet."""
        if verb != "status" or alarms.guard_of(error) != guards.CATALOGUE:
            return error
        self.core.failed(error, "", clock.read().wall)
        return GuardError(f"NOT DELETING: {error}")

    def _refused(self, error: RetentionError) -> Answer:
        kind = kind_of(error)
        status = _STATUS.get(kind, HTTPStatus.CONFLICT)
        return self._answer(status, problem(kind, str(error)))

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> Answer:
        headers = {"Retention-Zone": self.core.settings.timezone}
        try:
            if self.one_person:
                headers["Retention-Notice"] = ONE_PERSON
        except RetentionError:
            pass  # the catalogue's trouble is told by the answer itself
        return Answer(status, encoded(body), headers)


class _NotFoundError(Exception):
    """No such thing; no word of it to anybody but the caller."""


def description() -> dict[str, Any]:
    """The API, as `GET /v1` gives it: each verb, its arguments, who may ask."""
    return {
        "program": f"retention {__version__}",
        "version": 1,
        "how": "POST /v1/VERB with a JSON object of arguments; the answer is a JSON "
        'object, or {"error": {"kind", "message"}} with a status of 4xx or 5xx',
        "verbs": {name: _described(name, verb) for name, verb in VERBS.items()},
    }


def _described(name: str, verb: verbs.Verb) -> dict[str, Any]:
    return {
        "meaning": (inspect.getdoc(verb.resolve()) or "").partition("\n\n")[0],
        "roles": list(verb.roles),
        "changes": verb.changes,
        "keeps": verb.keeps,
        "seconds": verb.seconds,
        "arguments": {
            argument: {
                "type": str(getattr(hint, "__name__", hint))
                if isinstance(hint, type)
                else str(hint),
                "required": default is inspect.Parameter.empty,
            }
            for argument, hint, default in arguments.parameters(name)
        },
    }
