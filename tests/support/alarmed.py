"""The list of alarms as the service keeps it, for tests that have parts of one."""

from collections.abc import Mapping

from retention.catalogue.db import Feed
from retention.catalogue.next_due import NextDue
from retention.control import alarms
from retention.control.alarms import Condition
from retention.control.context import Context
from retention.control.guards import ALARMS
from retention.control.verbs import resolve
from retention.service.watch import Watch


def watch(context: Context) -> None:
    """A round after a start: every condition is asked for."""
    Watch(context.catalogue).round(context)


def round_as_all_say(lists: Watch, context: Context) -> None:
    """A round, after which the list is as all conditions said just before, whichever of
    them it asked for."""
    found = _all(context)
    lists.round(context)
    with context.catalogue.read() as tx:
        wrong = list(alarms.unsettled(tx, found))
    assert wrong == [], {name: found[name] for name in wrong}


def _all(context: Context) -> dict[str, Mapping[str, Condition]]:
    """Of what falls due nothing is known before."""
    catalogue = context.catalogue
    kept, catalogue.next_due = catalogue.next_due, NextDue(Feed())
    try:
        with catalogue.read() as tx:
            return {
                name: resolve(one.watch)(context, tx).where
                for name, one in ALARMS.items()
                if one.watch
            }
    finally:
        catalogue.next_due = kept
