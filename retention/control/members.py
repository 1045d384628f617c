"""Who has which role: the members of the groups that the settings name."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Iterator
from typing import TYPE_CHECKING

from retention.catalogue.db import Priority, get_fact, put_fact
from retention.control.verbs import ROLES
from retention.model.errors import NotPermittedError

if TYPE_CHECKING:
    from retention.control.context import Context
    from retention.site.settings import Settings

_FACT = "access.members"
_MOST = 8_000
"""Bytes of names in one entry."""


def groups(settings: Settings, role: str) -> tuple[str, ...]:
    """The Unix groups whose members have that role."""
    found: tuple[str, ...] = getattr(settings.access, f"{role}s")
    return found


def of(settings: Settings, role: str) -> list[str]:
    """The users who have that role now, by name, sorted; unknown groups have none."""
    names: set[str] = set()
    for name in groups(settings, role):
        try:
            group = grp.getgrnam(name)
        except KeyError:
            continue
        names |= set(group.gr_mem)
        if grp.getgrgid(group.gr_gid).gr_name == name:  # else the gid is another's
            names |= {
                one.pw_name for one in pwd.getpwall() if one.pw_gid == group.gr_gid
            }
    return sorted(names)


def note_approver(context: Context) -> None:
    """As `note`, and then as `refuse_unlisted`."""
    note(context)
    refuse_unlisted(context)


def refuse_unlisted(context: Context) -> None:
    """NotPermittedError where whoever asks is not listed by name among those who have the
    role: then it is not on record that they could approve."""
    if context.listed is None or context.listed():
        return
    role, name = context.actor.role, context.actor.name
    raise NotPermittedError(
        f"{name} is not listed by name as {role}, so it is not on record that they may "
        "approve: an administrator adds them, `usermod -aG "
        f"{next(iter(groups(context.settings, role)), 'GROUP')} {name}`"
    )


def note(context: Context) -> None:
    """Read the members of every role anew; `access.changed` for each that differs."""
    now = {role: of(context.settings, role) for role in ROLES}
    with context.catalogue.read() as tx:
        if get_fact(tx, _FACT) == now:
            return
    with context.write(Priority.HOLD) as tx:
        before = get_fact(tx, _FACT) or {}
        put_fact(tx, _FACT, now)
        for role in ROLES:
            old = set(before.get(role, ()))
            new = set(now[role])
            if old == new and role in before:
                continue
            for added, removed in _parts(sorted(new - old), sorted(old - new)):
                tx.append(
                    "access.changed", role=role,
                    added={"names": added}, removed={"names": removed},
                )  # fmt: skip


def _parts(
    added: list[str], removed: list[str]
) -> Iterator[tuple[list[str], list[str]]]:
    """The names for one entry after the other, at least one: what is committed to has no
    rows, which everybody reads."""
    part: tuple[list[str], list[str]] = ([], [])
    length = 0
    for at, name in [*((0, one) for one in added), *((1, one) for one in removed)]:
        if length + len(name.encode()) > _MOST:
            yield part
            part, length = ([], []), 0
        part[at].append(name)
        length += len(name.encode()) + 3
    yield part
