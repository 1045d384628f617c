"""Another disk in the place of a footage root: said by two people, on record.

The first to say so asks, which is kept for a day; the second does it.  What was asked
for is tied to the disk that was there: another one in its place is another request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import roots
from retention.catalogue.db import Priority, get_meta
from retention.control import members, rules, verbs
from retention.control.two_people import refuse_unknown_login
from retention.deletion.completion import abandon
from retention.footage.identity import Identity, read_identity
from retention.footage.roots_of_site import device_of, make_identity, setting_of
from retention.model.answers.root import ReplacementAsked, RootReplaced
from retention.model.errors import NotPermittedError, RetentionError, StaleError
from retention.model.localtime import format_utc
from retention.model.values import Micros
from retention.model.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context
    from retention.site.settings import RootSettings

ASKS = ("administrator", "offline")
"""The first of the two; the second is whoever may ask for the verb at all."""


def root_replace(
    context: Context, *, name: str, reason: str
) -> ReplacementAsked | RootReplaced:
    """Another disk is in the place of a root: entry `root.replaced`.

    Takes two people: an administrator asks, and another administrator or a supervisor
    asks for the same within a day, while the same disk is there (design, section 6).

    It is scanned as a new one; recordings of the old disk stay in the catalogue until
    the reconciliation after that finds them lost.  Where the disk is the same and only
    its device number changed since the machine started, that is put on record alike
    (old and new are the same uuid) and nothing is scanned anew.
    """
    reason = reason_of(reason, "another disk stands for the root")
    setting = setting_of(context, name)
    exchange = _exchange(context, setting)
    with context.catalogue.read() as tx:
        in_force = rules.effective(tx, context.settings)
        asked = _asked(tx, exchange, context.now)
    if in_force.two_people and asked is None:
        return _ask(context, setting, exchange, in_force, reason)
    if in_force.two_people and asked is not None:
        _check_second(context, in_force, asked)
    return _replace(context, setting, exchange, asked, reason)


class _Exchange(NamedTuple):
    """What is found in a root's place: the row as it was, and which disk is there."""

    row: roots.Root
    same_disk: bool
    device: int


def _exchange(context: Context, setting: RootSettings) -> _Exchange:
    """RetentionError where there is nothing to replace."""
    name = setting.name
    with context.catalogue.read() as tx:
        row = roots.by_name(tx, name)
        catalogue_uuid = get_meta(tx)["uuid"]
    if row is None:
        raise RetentionError(
            f"footage root {name} was never taken in: run `retention root adopt {name}`"
        )
    same = read_identity(setting.path) == Identity(row.uuid, catalogue_uuid)
    device = device_of(setting)
    if same and row.device in (None, device):
        raise RetentionError(
            f"the disk at {setting.path} is the one it was: there is nothing to replace"
        )
    return _Exchange(row, same, device)


def _asked(
    tx: Connection, exchange: _Exchange, now: Micros
) -> roots.Replacement | None:
    """The request that waits for a second person, of this very exchange."""
    asked = roots.replacement_of(tx, exchange.row, now)
    if asked is None:
        return None
    seen = (exchange.row.uuid, exchange.same_disk, exchange.device)
    return asked if (asked.old, asked.same_disk, asked.device) == seen else None


def _ask(
    context: Context,
    setting: RootSettings,
    exchange: _Exchange,
    in_force: rules.Rules,
    reason: str,
) -> ReplacementAsked:
    """Keep the request for a second person; entry `root.replace_requested`."""
    actor, now, row = context.actor, context.now, exchange.row
    if actor.role not in ASKS:
        raise NotPermittedError(
            f"an administrator asks for the replacement of {row.name} first: then type "
            "this again, and it is done"
        )
    refuse_unknown_login(actor, in_force)
    with context.write(Priority.DELETION) as tx:
        _still(tx, exchange, None, now)
        number = tx.append(
            "root.replace_requested", root=row.name, old=row.uuid, reason=reason
        )
        name = actor.name or str(actor.uid)
        asked = roots.Replacement(
            now, actor.uid, actor.login, name, row.uuid, *exchange[1:], number
        )
        roots.put_replacement(tx, row, asked)
    agree = verbs.VERBS["root.replace"].roles
    able = {one for role in agree for one in members.of(context.settings, role)}
    return ReplacementAsked(
        name=row.name,
        path=str(setting.path),
        replaced=False,
        requested=format_utc(now),
        until=format_utc(now + roots.PATIENCE),
        approvers=sorted(able - {actor.name}),
        entry=number,
    )


def _still(
    tx: Connection, exchange: _Exchange, asked: roots.Replacement | None, now: Micros
) -> None:
    """StaleError where somebody else asked, or did it, since it was looked at."""
    row = roots.get(tx, exchange.row.key)
    moved = row is None or row.uuid != exchange.row.uuid
    if moved or _asked(tx, exchange, now) != asked:
        raise StaleError(
            f"footage root {exchange.row.name} was changed meanwhile: look at "
            "`retention root list` and try again"
        )


def _check_second(
    context: Context, in_force: rules.Rules, asked: roots.Replacement
) -> None:
    members.note_approver(context)
    why = rules.not_another(in_force, asked.uid, asked.login, context.actor)
    if why is not None:
        raise NotPermittedError(
            f"replacing a footage root takes two people, and {why}: {asked.name} asked "
            f"at {format_utc(asked.at)}, and another administrator or a supervisor "
            f"types this until {format_utc(asked.at + roots.PATIENCE)}"
        )


def _replace(
    context: Context,
    setting: RootSettings,
    exchange: _Exchange,
    asked: roots.Replacement | None,
    reason: str,
) -> RootReplaced:
    row, same, _ = exchange
    new = row.uuid if same else make_identity(context, setting)
    with context.write(Priority.DELETION) as tx:
        _still(tx, exchange, asked, context.now)
        abandoned = 0
        if same:
            roots.forget_device(tx, row.key)
        else:
            roots.replace(tx, row, new)
            abandoned = abandon(tx, row.key)
        roots.put_replacement(tx, row, None)
        number = tx.append(
            "root.replaced",
            root=row.name,
            old=row.uuid,
            new=new,
            reason=reason,
            request=None if asked is None else asked.entry,
        )
    return RootReplaced(
        name=row.name,
        path=str(setting.path),
        replaced=True,
        uuid=new,
        same_disk=same,
        abandoned_batches=abandoned,
        entry=number,
    )
