"""`retention check`: the configuration and what it meets on this machine.

Each finding says what is wrong and what to do.  Nothing is changed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retention.catalogue import db, doubtful_times, log, plans, raised, roots
from retention.cli.local import check_footage, check_settings
from retention.cli.local.finding import Finding, Progress, error, warning
from retention.control import guards, periods, rules
from retention.control.context import Context
from retention.footage import kept_head, roots_of_site, settings_differ
from retention.model.answers.policy import PeriodProposed, ProposalShown, RuleProposed
from retention.model.errors import CatalogueError, RetentionError
from retention.publication import log_key, memories
from retention.site import clock, unit
from retention.site.caller import caller
from retention.site.reserve import Reserve

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.raised import Raised
    from retention.site.settings import Settings

__all__ = ["Finding", "findings"]


def findings(
    settings: Settings, progress: Progress = lambda text: None
) -> list[Finding]:
    """Everything found, errors first; `progress` is told of long walks."""
    found = [
        *check_settings.doubts(settings),
        *check_settings.findings_of(settings, two_people=_two_people(settings)),
        *_zones(settings),
        *_clock(settings),
        *_state_directory(settings),
        *_key(settings),
        *_memories(settings),
        *_served(settings),
        *_catalogue(settings),
    ]
    for root in settings.root:
        found += check_footage.findings_of(root, settings.state_directory, progress)
    return sorted(found, key=lambda one: one.level != "error")


def _two_people(settings: Settings) -> bool:
    """Whether a release takes two people: by the rules in force, where there are any."""
    said = settings.retention.release_requires_two_people
    try:
        catalogue = db.open_(settings.state_directory / db.NAME, read_only=True)
    except CatalogueError:
        return said
    try:
        with catalogue.read() as tx:
            return rules.effective(tx, settings).two_people
    except RetentionError:
        return said
    finally:
        catalogue.close()


def _zones(settings: Settings) -> Iterator[Finding]:
    for name in sorted({settings.timezone, *(r.timezone for r in settings.root)}):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            yield error(
                f"there are no data for the time zone {name}",
                "install the system's time zone data (tzdata)",
            )


def _clock(settings: Settings) -> Iterator[Finding]:
    if settings.clock_synchronised == "ignored" or clock.read().synchronised:
        return
    what = "the kernel does not say that the clock is synchronised"
    remedy = "let chrony or systemd-timesyncd keep it right, see `timedatectl`"
    if settings.clock_synchronised == "required":
        yield error(f"{what}, and the configuration requires it", remedy)
    else:
        yield warning(
            f"{what}, so after a long stop of the machine, or a step of the clock, "
            "deletion waits for an administrator",
            remedy,
        )


def _state_directory(settings: Settings) -> Iterator[Finding]:
    path = settings.state_directory
    try:
        found = os.stat(path)
    except OSError as problem:
        yield error(
            f"state_directory {path}: {problem.strerror}", "run `retention init`"
        )
        return
    yield from _open_to_others(f"state_directory {path}", found, f"chmod 0700 {path}")
    for name in (db.NAME, f"{db.NAME}-wal", f"{db.NAME}-shm"):
        file = path / name
        with suppress(OSError):  # not there yet, or told of where it is opened
            yield from _open_to_others(
                f"the catalogue {file}",
                os.stat(file),
                f"chmod 0600 {file}; it holds who asked for evidence, and why",
            )
    reserve = Reserve(path)
    if not reserve.whole():
        room = f"free {-(-reserve.missing() // 2**20)} MiB there; " * bool(
            reserve.missing()
        )
        yield warning(
            f"the reserve {reserve.path} is missing or released: on a full disk holds "
            "could not be stored",
            f"{room}the service makes it again by itself",
        )


def _open_to_others(what: str, found: os.stat_result, remedy: str) -> Iterator[Finding]:
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        yield error(f"{what} is open to others (mode {mode:04o})", remedy)


def _key(settings: Settings) -> Iterator[Finding]:
    state = settings.state_directory
    if not state.exists():
        return
    path = state / log_key.NAME
    try:
        found = os.stat(path)
    except OSError as problem:
        if not unit.loads(log_key.NAME):  # else only the service sees it
            yield error(
                f"the signing key {path}: {problem.strerror}",
                "put it back from where its copy is kept"
                if (state / db.NAME).exists()
                else "run `retention init`",
            )
        return
    if unit.loads(log_key.NAME):
        yield warning(
            f"the service has its signing key as a credential, and {path} is still there",
            "keep it in a safe, away from the machine, and remove it here",
        )
    remedy = f"chmod 0600 {path}; whoever read it can sign another log"
    yield from _open_to_others(f"the signing key {path}", found, remedy)
    if found.st_uid != os.stat(state).st_uid:
        yield error(
            f"the signing key {path} is not the service's own",
            f"chown --reference={state} {path}",
        )


_SYSTEMD = Path("/run/systemd/system")
"""There where systemd runs the machine."""


def _memories(settings: Settings) -> Iterator[Finding]:
    """What remembers the log's head, and could not be read or written."""
    fault = memories.read_journal()[1] if _SYSTEMD.is_dir() else None
    if fault is not None:
        yield warning(
            f"the journal can't be read as {caller().name} ({fault}), so that it does "
            "not show a catalogue that was set back",
            "install the unit and the file of sysusers of this version, then "
            "`systemd-sysusers`, `systemctl daemon-reload` and start the service again",
        )
    for root in settings.root:
        path = root.path / kept_head.NAME
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            yield warning(
                f"{path} can't be written as {caller().name}, so that the root does not "
                "show a catalogue that was set back",
                f"chown --reference={settings.state_directory} {path}",
            )


def _served(settings: Settings) -> Iterator[Finding]:
    """The whole log tells of holds: it is for auditors, and no web page."""
    for path in (settings.published_log, settings.log_copy):
        if path is not None and not _SERVED.isdisjoint(path.parts):
            yield warning(
                f"{path} looks like a place that a web server shows to everybody, and the "
                "whole log tells where and when police look, and who asked for footage",
                "keep it where only auditors come; for the public make a copy of its own, "
                "`retention audit copy --public DIR`",
            )


_SERVED = frozenset({"www", "htdocs", "html", "public_html", "http"})
"""Names of directories that are served, as a rule."""


def _catalogue(settings: Settings) -> Iterator[Finding]:
    """The catalogue, and what only it knows: guards, roots, the key's other half."""
    path = settings.state_directory / db.NAME
    if not settings.state_directory.exists():
        return
    try:
        catalogue = db.open_(path, read_only=True)
    except CatalogueError as problem:
        yield error(str(problem), "see there")
        return
    try:
        complaint = db.quick_check(catalogue)
        if complaint is not None:
            yield error(
                f"{path} is damaged: {complaint}", guards.remedy(guards.CATALOGUE)
            )
            return
        yield from _roots(settings, catalogue)
        with catalogue.read() as tx:
            said = (guards.SETTINGS, guards.STREAM)  # below, as they are now
            standing = [
                one
                for one in raised.everyone(tx)
                if one.name not in said and not _approved(tx, one)
            ]
            yield from _waiting(tx, settings)
        for one in standing:
            where = f" for {one.scope}" if one.scope else ""
            guard = one.name in guards.GUARDS
            what = f"the guard {one.name} is tripped" if guard else f"alarm {one.name}"
            worst = guards.ALARMS[one.name].rank is not guards.Rank.PERSON
            finding = error if worst else warning
            remedy = guards.remedy(one.name, one.scope, one.number)
            yield finding(f"{what}{where}: {one.detail}", remedy)
        if log_key.exists(settings.state_directory):
            log_key.check(log_key.load(settings.state_directory), catalogue)
    except RetentionError as problem:
        yield error(str(problem), "see there")
    finally:
        catalogue.close()


def _approved(tx: Connection, guard: Raised) -> bool:
    """The volume guard of a root whose plan was approved: the next cycle clears it."""
    if guard.name != guards.VOLUME:
        return False
    root = roots.by_name(tx, guard.scope)
    plan = None if root is None else plans.of_root(tx, root.key)
    return plan is not None and plan.state == "approved"


def _waiting(tx: Connection, settings: Settings) -> Iterator[Finding]:
    """What waits for a person: times in doubt, shorter periods (design, 5 and 6)."""
    for sentence in doubtful_times.sentences(tx):
        what, _, remedy = sentence.partition(": ")
        yield error(what, remedy)
    for scope, one in settings_differ.found(tx, settings).items():
        yield warning(f"{scope}: {one.detail}", guards.remedy(guards.SETTINGS))
    found = periods.proposal(tx, settings)
    for proposed in periods.listed(tx, settings, found):
        for change in proposed.changes:
            yield _not_applied(proposed, change)
    for id_ in found.unknown:
        yield warning(
            f'[camera."{id_}"] has no effect: no camera has that id today',
            "look it up with `retention camera list`",
        )


def _not_applied(one: ProposalShown, change: RuleProposed | PeriodProposed) -> Finding:
    """What the configuration says and is not in force."""
    if isinstance(change, RuleProposed):
        what = (
            f"the configuration says {change.rule} = {change.proposed}, weaker "
            f"than the {change.now} in force"
        )
    else:
        whose = "all cameras" if change.camera is None else f"camera {change.camera}"
        what = (
            f"the configuration says {change.proposed_days} days for {whose}, "
            f"shorter than the {change.days} in force"
        )
    if one.state == "rejected":
        return warning(
            f"{what}, and was rejected (proposal {one.proposal})",
            "write in the configuration what is in force",
        )
    number = one.proposal
    return warning(
        f"{what}, and is not applied",
        "start the service, which gives the proposal its number"
        if number is None
        else f"a supervisor approves it with `retention policy approve {number}`, or "
        "write in the configuration what is in force",
    )


def _roots(settings: Settings, catalogue: db.Catalogue) -> Iterator[Finding]:
    record = log.Log(site=settings.site)
    context = Context(settings, catalogue, record, clock.read().wall, caller())
    for root in roots_of_site.root_list(context).roots:
        if not root.available:
            yield error(
                f"footage root {root.name} is not available: {root.state}",
                guards.remedy(guards.ROOT),
            )
