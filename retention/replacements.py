"""Another disk in the place of a footage root: said by two people, on record.

The first to say so asks, which is kept for a day; the second does it.  What was asked
for is tied to the disk that was there: another one in its place is another request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from retention import members, rules
from retention.caller import UNSET_LOGIN
from retention.catalogue import roots
from retention.catalogue.db import Priority, get_fact, get_meta, put_fact
from retention.catalogue.roots import Root
from retention.deletion.abandoned import abandon
from retention.errors import NotPermittedError, RetentionError, StaleError
from retention.footage.identity import Identity, read_identity
from retention.localtime import format_utc
from retention.model import DAY, Entry, Micros
from retention.roots import device_of, make_identity, setting_of
from retention.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context
    from retention.settings import RootSettings

Answer = dict[str, Any]

PATIENCE: Micros = DAY
"""How long a replacement waits for a second person."""
ASKS = ("administrator", "offline")
AGREE = ("supervisor", "administrator")


def root_replace(context: Context, *, name: str, reason: str) -> Answer:
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

    row: Root
    same_disk: bool
    device: int


class _Asked(NamedTuple):
    """Who asked for a replacement, when, and what was there then."""

    at: Micros
    uid: int
    login: int
    name: str
    old: str
    same_disk: bool
    device: int
    entry: int


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


def _asked(tx: Connection, exchange: _Exchange, now: Micros) -> _Asked | None:
    """The request that waits for a second person, of this very exchange."""
    kept = get_fact(tx, _fact(exchange.row))
    asked = None if kept is None else _Asked(*kept)
    if asked is None or not asked.at <= now < asked.at + PATIENCE:
        return None
    seen = (exchange.row.uuid, exchange.same_disk, exchange.device)
    return asked if (asked.old, asked.same_disk, asked.device) == seen else None


def _fact(row: Root) -> str:
    return f"root.replace.{row.key}"


def _ask(
    context: Context,
    setting: RootSettings,
    exchange: _Exchange,
    in_force: rules.Rules,
    reason: str,
) -> Answer:
    """Keep the request for a second person; entry `root.replace_requested`."""
    actor, now, row = context.actor, context.now, exchange.row
    if actor.role not in ASKS:
        raise NotPermittedError(
            f"an administrator asks for the replacement of {row.name} first: then type "
            "this again, and it is done"
        )
    if in_force.require_login_uid and actor.login == UNSET_LOGIN:
        raise NotPermittedError(
            "your session has no login uid, so a second person could not be told from "
            "you: log in at a terminal or by ssh as yourself, not through a service"
        )
    with context.catalogue.write(Priority.DELETION) as tx:
        _still(tx, exchange, None, now)
        fields = {"root": row.name, "old": row.uuid, "reason": reason}
        number = context.log.append(
            tx, Entry("root.replace_requested", now, actor, fields)
        )
        name = actor.name or str(actor.uid)
        asked = _Asked(
            now, actor.uid, actor.login, name, row.uuid, *exchange[1:], number
        )
        put_fact(tx, _fact(row), list(asked))
    able = {one for role in AGREE for one in members.of(context.settings, role)}
    return {
        "name": row.name,
        "path": str(setting.path),
        "replaced": False,
        "requested": format_utc(now),
        "until": format_utc(now + PATIENCE),
        "approvers": sorted(able - {actor.name}),
        "entry": number,
    }


def _still(
    tx: Connection, exchange: _Exchange, asked: _Asked | None, now: Micros
) -> None:
    """StaleError where somebody else asked, or did it, since it was looked at."""
    row = roots.get(tx, exchange.row.key)
    moved = row is None or row.uuid != exchange.row.uuid
    if moved or _asked(tx, exchange, now) != asked:
        raise StaleError(
            f"footage root {exchange.row.name} was changed meanwhile: look at "
            "`retention root list` and try again"
        )


def _check_second(context: Context, in_force: rules.Rules, asked: _Asked) -> None:
    members.note(context)
    why = rules.not_another(in_force, asked.uid, asked.login, context.actor)
    if why is not None:
        raise NotPermittedError(
            f"replacing a footage root takes two people, and {why}: {asked.name} asked "
            f"at {format_utc(asked.at)}, and another administrator or a supervisor "
            f"types this until {format_utc(asked.at + PATIENCE)}"
        )


def _replace(
    context: Context,
    setting: RootSettings,
    exchange: _Exchange,
    asked: _Asked | None,
    reason: str,
) -> Answer:
    row, same, _ = exchange
    new = row.uuid if same else make_identity(context, setting)
    with context.catalogue.write(Priority.DELETION) as tx:
        _still(tx, exchange, asked, context.now)
        abandoned = 0
        if same:
            roots.forget_device(tx, row.key)
        else:
            roots.replace(tx, row, new)
            abandoned = abandon(tx, context.log, context.actor, row.key, context.now)
        put_fact(tx, _fact(row), None)
        fields = {
            "root": row.name,
            "old": row.uuid,
            "new": new,
            "reason": reason,
            "request": None if asked is None else asked.entry,
        }
        entry = Entry("root.replaced", context.now, context.actor, fields)
        number = context.log.append(tx, entry)
    return {
        "name": row.name,
        "path": str(setting.path),
        "replaced": True,
        "uuid": new,
        "same_disk": same,
        "abandoned_batches": abandoned,
        "entry": number,
    }


def replacements_waiting(tx: Connection, now: Micros) -> list[Answer]:
    """Each replacement that waits for a second person, as `status` shows it."""
    found = []
    for row in roots.everyone(tx):
        kept = get_fact(tx, _fact(row))
        asked = None if kept is None else _Asked(*kept)
        if asked is not None and asked.at <= now < asked.at + PATIENCE:
            found.append(
                {
                    "root": row.name,
                    "requested": format_utc(asked.at),
                    "by": asked.name,
                    "until": format_utc(asked.at + PATIENCE),
                }
            )
    return found
