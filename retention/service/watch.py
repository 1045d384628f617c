"""The alarms that nobody is told of, kept as their conditions say, round by round.

Most rounds ask for none of them: what a condition rests on is observed while it is asked
for, the tables that are read, and until when it is so it says itself.  It is asked for
again once rows of such a table changed, by a transaction of ours or by somebody else, or
that instant has come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue.db import Priority, tables_read
from retention.control import alarms
from retention.control.alarms import Stands
from retention.control.guards import ALARMS
from retention.control.verbs import resolve
from retention.model.errors import CatalogueError
from retention.model.values import Micros

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.control.context import Context

_WATCHED = {name: one.watch for name, one in ALARMS.items() if one.watch}
_LIST = ""
"""Whether the list is as the conditions say: asked for as one of them."""

_UNFITTING = (
    "the catalogue's rows do not fit together ({!r}): it was changed, or is damaged; "
    "`retention audit verify` says more"
)


class _LastLook(NamedTuple):
    """What was found at `since`, and how often each table that it rests on had changed."""

    stands: Stands
    since: Micros
    tables: Mapping[str, int]


class Watch:
    """Of one catalogue, for one thread."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._foreign: int | None = None
        self._known: dict[str, _LastLook] = {}
        # Whatever was read once counts on: a condition may keep what it found there.
        self._tables: dict[str, set[str]] = defaultdict(set)

    def round(self, context: Context) -> None:
        """Have the alarms stand whose conditions hold, and no others.

        One whose condition can't be asked for keeps no other from being told.  Raises
        CatalogueError.
        """
        foreign = self._catalogue.foreign_commits()
        if foreign != self._foreign:  # of what nobody here wrote nothing is known
            self._known.clear()
            if self._catalogue.next_due is not None:
                self._catalogue.next_due.reset()
        self._foreign = foreign
        errors = [*self._ask_all(context)]
        if not self._is_so(_LIST, context.now):
            self._look(_LIST, context, partial(self._settle, context))
        if errors:
            raise errors[0]

    def _ask_all(self, context: Context) -> Iterator[CatalogueError]:
        for name, at in _WATCHED.items():
            if self._is_so(name, context.now):
                continue
            self._known.pop(_LIST, None)
            try:
                self._look(name, context, partial(self._ask, at, context))
            except CatalogueError as error:
                yield error
            except (LookupError, TypeError, ValueError) as error:
                yield CatalogueError(_UNFITTING.format(error))

    def _is_so(self, name: str, now: Micros) -> bool:
        """Whether what is known of it is what it would say now."""
        known, written = self._known.get(name), self._catalogue.written
        return (
            known is not None
            and known.since <= now < known.stands.until
            and all(written[table] == count for table, count in known.tables.items())
        )

    def _look(self, name: str, context: Context, ask: Callable[[], Stands]) -> None:
        """Ask, and observe what is read; counted before, so that nothing is missed."""
        self._known.pop(name, None)
        written = self._catalogue.written.copy()
        with tables_read() as tables:
            stands = ask()
        self._tables[name] |= tables
        counts = {table: written[table] for table in self._tables[name]}
        self._known[name] = _LastLook(stands, context.now, counts)

    def _ask(self, at: str, context: Context) -> Stands:
        with self._catalogue.read() as tx:
            found: Stands = resolve(at)(context, tx)
        return found

    def _settle(self, context: Context) -> Stands:
        found = {
            name: self._known[name].stands.where
            for name in _WATCHED
            if name in self._known
        }
        with self._catalogue.read() as tx:
            news = list(alarms.unsettled(tx, found))
        if news:
            with context.write(Priority.DELETION) as tx:
                for name in news:
                    alarms.settle(tx, context.now, name, found[name])
        return Stands({})
