"""What the log puts in force and the catalogue's rows lack is written into the rows.

It only ever adds protection: what the rows alone keep stays as it is, until two people
release it.  An administrator and a supervisor ask for it (`schema.repair`), each under
their own name; a restore does it for what came back unsigned and keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import (
    cameras,
    holds,
    plans,
    policies,
    quarantine,
    recordings,
    roots,
    streams,
)
from retention.catalogue.db import PAUSE_FACT, Priority, get_fact, put_fact
from retention.catalogue.entries import CatalogueSource
from retention.control import (
    in_force,
    members,
    rows_gone,
    rules,
    rulings,
    standing,
    two_people,
)
from retention.control.borne_out import BY_LOG
from retention.model.answers.schema import SchemaRepaired
from retention.model.errors import RetentionError, put_back
from retention.model.localtime import format_utc
from retention.model.values import DAY, Micros, Rows
from retention.model.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.control.context import Context
    from retention.tlog.in_force import HoldSaid, InForce

WITHHELD = "restored from the published log, which has no reasons"


def hold_values(entry: dict[str, Any]) -> dict[str, Any]:
    """The row of a hold by its entry `hold.placed`, but for the people, who are not in
    the published log."""
    fields, actor = entry["fields"], entry["actor"]
    names = ("kind", "since", "until", "review", "margin", "received", "replaces",
             "request")  # fmt: skip
    people = ("reference", "requester", "officer", "force", "power", "typed")
    return {
        **{name: fields[name] for name in names},
        **dict.fromkeys(people, ""),
        "reason": WITHHELD,
        "placed": entry["at"],
        "placed_by": actor["uid"],
        "placed_login": actor["login"],
    }


def protect(tx: Connection, said: InForce, keys: Iterable[int]) -> None:
    """Have these holds cover in their rows what they cover by the log."""
    known = cameras.keys(tx)
    for key in sorted(keys):
        hold = said.holds[key]
        if holds.find(tx, key) is None:
            _put(tx, key, hold)
        holds.cover(tx, key, hold.window, hold.free_at)
        holds.add_cameras(tx, key, sorted(hold.cameras & known))


def _put(tx: Connection, key: int, hold: HoldSaid) -> None:
    """As it was placed; what could have been anybody's word is checked: a margin that
    leaves nothing, the number of a request that has its hold already."""
    entry = CatalogueSource(tx).entry(hold.placed).entry
    values = hold_values(entry) | {"replaces": None, "request": None}
    since, until = hold.window
    if not 0 <= 2 * values["margin"] < until - since:
        values["margin"] = 0
    if hold.free_at is not None:
        values |= {"released": entry["at"], "free_at": hold.free_at}
    holds.put(tx, key, (), **values | {"since": since, "until": until})


# -- all of it --------------------------------------------------------------------------


def everything(tx: Transaction, said: InForce, now: Micros) -> None:
    """Have the rows protect all that the log has in force."""
    rows_gone.put_cameras(tx, said)
    protect(tx, said, [key for key, one in said.holds.items() if one.in_force(now)])
    for key, request in holds.requests(tx).items():
        if in_force.request_of(request) != said.request(key):
            holds.drop_request(tx, key)
    if said.policy is not None:
        policies.strengthen(tx, now, said.policy)
    weaker = rules.weaker_than(tx, said.rules)
    rules.restore(tx, {name: said.rules[name] for name in weaker})
    for plan in plans.approved(tx):
        if not said.plans.get(plan.key) == plan.digest == plans.digest(tx, plan.key):
            plans.revoke(tx, plan.key)
    if said.paused is not None and said.paused > now:
        kept = get_fact(tx, PAUSE_FACT)
        until = max(said.paused, 0 if kept is None else kept["until"])
        put_fact(tx, PAUSE_FACT, {"until": until, "since": now})
    for camera, custody in said.custody.items():
        cameras.put_custody(tx, camera, custody)
    rows_gone.put_roots(tx, said)
    rows_gone.put_streams(tx, said)
    _streams(tx, said)
    _doubts(tx, said, now)
    rulings.drop_other(tx, said)
    standing.put_back(tx, said, now)


def _doubts(tx: Transaction, said: InForce, now: Micros) -> None:
    """In doubt again, as long as the log says; from now on where it does not say."""
    for stream in streams.by_keys(tx, said.doubted):
        since = said.doubted[stream.key] or now
        if stream.quarantined is not None and stream.quarantined < since:
            streams.lift_quarantine(tx, stream.key)
        streams.quarantine(tx, stream.key, since)
    for key, _ in quarantine.less_in_doubt(tx, said.doubts):
        row = recordings.get(tx, key)
        if row is not None:
            seen = said.doubts[key] or now
            doubt = recordings.Doubt(seen, row.end, BY_LOG)
            recordings.quarantine(tx, row, row.size, doubt)


def _streams(tx: Transaction, said: InForce) -> None:
    """Each is as it was opened."""
    names = {root.name: root.key for root in roots.everyone(tx)}
    for stream in streams.by_keys(tx, said.streams):
        one = said.streams[stream.key]
        if one.root in names:
            streams.put_back(
                tx, stream.key, camera=one.camera, root=names[one.root],
                layout=one.layout, zone=one.zone, name=one.name, extension=one.extension,
                max_length=max(stream.max_length, said.lengths[stream.key]),
            )  # fmt: skip


class _RepairAsked(NamedTuple):
    """Who asked first."""

    at: Micros
    uid: int
    login: int
    name: str
    role: str
    entry: int


ASKED = "schema.repair"
"""The fact: the request that waits."""
PATIENCE: Micros = DAY
"""How long a request waits for the second person."""


def schema_repair(context: Context, *, reason: str) -> SchemaRepaired:
    """Put into the rows what the log has in force and they lack.

    Takes an administrator and a supervisor, whoever comes first; within a day.
    RetentionError where the rows lack nothing, or can't be repaired.
    """
    reason = reason_of(reason, "the rows may be repaired")
    members.note(context)
    with context.write(Priority.HOLD) as tx:
        found = in_force.compare(context.catalogue, tx, context.now)
        if not found.less:
            raise RetentionError(
                "the catalogue's rows protect all that its log has in force: there is "
                "nothing to repair"
            )
        asked = _asked(tx, context.now)
        effective = rules.effective(tx, context.settings)
        if effective.two_people and not _is_second(context, effective, asked):
            return _ask(context, tx, found, reason)
        with context.catalogue.said_mutex:
            everything(tx, context.catalogue.said, context.now)
        left = in_force.compare(context.catalogue, tx, context.now).less
        if left:
            raise RetentionError(
                f"this can't be repaired: {left[0]}. The way on: {put_back()}"
            )
        put_fact(tx, ASKED, None)
        rulings.clear_gone(
            tx, "it was not as the log says: whoever wants it asks again"
        )
        number = tx.append(
            "schema.repaired",
            {"count": len(found.less), "reason": reason},
            Rows(("detail",), [(one,) for one in found.less]),
            request=None if asked is None else asked.entry,
        )
    return SchemaRepaired(True, found.less, found.more, None, [], number)


def _asked(tx: Connection, now: Micros) -> _RepairAsked | None:
    kept = get_fact(tx, ASKED)
    asked = None if kept is None else _RepairAsked(*kept)
    return (
        asked if asked is not None and asked.at <= now < asked.at + PATIENCE else None
    )


def _is_second(
    context: Context, effective: rules.Rules, asked: _RepairAsked | None
) -> bool:
    """Whether this is the other of the two; NotPermittedError where he can't be."""
    actor = context.actor
    if asked is None or asked.role == actor.role:
        return False
    members.refuse_unlisted(context)
    what = "the rows to be repaired"
    two_people.refuse_same(actor, asked, effective, what, "They stay as they are")
    return True


def _ask(
    context: Context, tx: Transaction, found: in_force.Differences, reason: str
) -> SchemaRepaired:
    actor, now = context.actor, context.now
    two_people.refuse_unknown_login(actor, rules.effective(tx, context.settings))
    number = tx.append("schema.repair_requested", count=len(found.less), reason=reason)
    name = two_people.person(actor.uid, actor.name)
    asked = _RepairAsked(now, actor.uid, actor.login, name, actor.role, number)
    put_fact(tx, ASKED, list(asked))
    other = "supervisor" if actor.role == "administrator" else "administrator"
    able = members.of(context.settings, other)
    return SchemaRepaired(
        False, found.less, found.more, format_utc(now + PATIENCE),
        two_people.others(able, name), number,
    )  # fmt: skip
