"""Whatever a test does to a site: `status` does not say that all is well where something
due is left, or something was not seen.

Parts of the daemon that are tested without one are looked after here, at the end of each
test, with the faults that it injected still standing: two rounds more, wired as the daemon
wires them.  `installation.Daemon.be_honest` does it where there is one.
"""

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from retention.catalogue import holds, policies, raised, recordings, roots, streams
from retention.catalogue import unknown as strangers
from retention.catalogue.db import Catalogue
from retention.cli.status import exit_status
from retention.control import guards
from retention.control.alarms import Alarms
from retention.control.gate import Gate
from retention.model.answers.status import Status
from retention.model.errors import CatalogueError, RetentionError
from retention.model.layouts.layout import path_in
from retention.model.layouts.presets import (
    is_excluded,
    is_in_progress,
    preset_or_template,
)
from retention.model.values import HOUR, SECOND, Micros, State
from retention.reports.status import status
from retention.service import housekeeping
from retention.service.core import Core
from retention.service.daemon import Service
from retention.service.root_work import RootWork
from retention.service.timekeeper import Judged
from retention.site import clock
from retention.site.reserve import Reserve
from retention.site.settings import RetentionSettings, RootSettings, Settings
from retention.tlog.lawful.laws import ROLE, TIME
from tests.support.alarmed import watch
from tests.support.installation import Installation, files_below
from tests.support.law import obeyed
from tests.support.premises import Crash, Premises, never

ROUNDS = 2

OF_OTHERS = {
    guards.UNSEEN, guards.SILENT, guards.LOST, guards.CAMERA_GONE, guards.HELD_LOST,
    guards.REFUSED, guards.UNLAWFUL,
}  # fmt: skip
"""Alarms about what is not on the disk: whoever reads them knows nothing of what is."""


FAULTS: list[str] = []
"""What no root's thread expected; a test that means it takes it out."""

_rest = RootWork._rest


def _noted(work: RootWork) -> None:
    FAULTS.append(traceback.format_exc())
    _rest(work)


RootWork._rest = _noted  # type: ignore[method-assign]


def be_honest() -> None:
    """Of every site that the test at hand has open."""
    assert not FAULTS, "\n".join(FAULTS)
    for site in Premises.standing:
        if site.directory.is_dir():  # a test of many stories removes each
            with suppress(RetentionError):  # not to be read: no service runs on it
                if not site.by_hand:
                    obeyed(site.catalogue, TIME, *(ROLE,) * site.invented)
                _premises(site)
    for installed, service in Installation.standing.items():
        with suppress(RetentionError):
            obeyed(service._core.catalogue)
            _service(installed, service)


def forget() -> None:
    """The test is over."""
    Premises.standing.clear()
    Installation.standing.clear()
    FAULTS.clear()


def _told(
    catalogue: Catalogue,
    settings: tuple[RootSettings, ...],
    now: Micros,
    rounds: Callable[[], Status],
) -> None:
    """Make the rounds if they are needed, and look what `status` says."""
    if not list(wrong(catalogue, settings, now)):
        return
    try:
        answer = rounds()
    except Crash:  # the process died of the fault: there is no service to say anything
        return
    found = list(wrong(catalogue, settings, now))
    telling = [one for one in answer.alarms if one.alarm not in OF_OTHERS]
    said = exit_status(replace(answer, alarms=telling))
    assert said != 0 or not found, f"`status` ends with 0, though {'; '.join(found)}"


# -- parts without a service ------------------------------------------------------------


def _premises(site: Premises) -> None:
    with site.catalogue.read() as tx:
        found = roots.everyone(tx)
        now = max(site.now, raised.latest_entry(tx, 0) or 0)
    given = getattr(site, "settings", None)
    ours = given if isinstance(given, RetentionSettings) else RetentionSettings()
    settings = Settings.model_construct(
        site=site.SITE, timezone="Europe/London", state_directory=site.directory,
        retention=ours, root=tuple(site.read_by(row.name, Path(row.path)) for row in found),
    )  # fmt: skip
    site.let_go()
    _told(site.catalogue, settings.root, now, lambda: _rounds(site, settings, now))


def _rounds(site: Premises, settings: Settings, now: Micros) -> Status:
    """The daemon's parts make them; what `status` says then."""

    def crashed(_: str, error: BaseException) -> None:
        raise error

    core = Core(
        settings, site.catalogue, site.log, site.actor, site.gate or Gate(),
        Reserve(site.directory, 4096), Alarms(site.catalogue, site.log, site.actor),
        lambda: Judged(now, True, None, past=False, changed=False), crashed,
    )  # fmt: skip
    works = [RootWork(core, one, lambda *_: None) for one in settings.root]
    try:
        for _ in range(ROUNDS):
            now += settings.retention.cycle
            try:
                core.alarms.write()
                context = core.context(now, site.actor)
                housekeeping.note(site.catalogue, context.author)
                watch(context)
            except CatalogueError as error:
                core.failed(error, "", now)
            for work in works:
                for act in (work.open, work.scan, work.recover, work.cycle):
                    act(never)
        watch(context)
        return status(context)
    finally:
        for work in works:
            work.close()


# -- a service in this process ----------------------------------------------------------


def _service(installed: Installation, service: Service) -> None:
    with pytest.MonkeyPatch.context() as patch:
        passed, real = 0, clock.read

        def later() -> clock.Reading:
            read = real()
            return read._replace(
                wall=read.wall + passed, boottime=read.boottime + passed
            )

        patch.setattr(clock, "read", later)

        def rounds() -> Status:
            nonlocal passed
            for _ in range(ROUNDS):
                passed += installed.settings.retention.cycle
                for work in service._works:
                    # A test that ended it has let go of its roots.
                    work._broken |= work.root is not None and work.root._handle is None
                    work.scan(never)
                    work.cycle(never)
                service.tick(never)
            core = service._core
            return status(core.context(core.now(), core.actor))

        root, now = installed.settings.root, later().wall
        _told(service._core.catalogue, root, now, rounds)


# -- what is wrong, by the disk ---------------------------------------------------------


def wrong(
    catalogue: Catalogue, settings: tuple[RootSettings, ...], now: Micros
) -> Iterator[str]:
    """What is past its period and not held, and what the catalogue knows nothing of."""
    with catalogue.read() as tx:
        policy = policies.current(tx)
        held = [(one.since, one.until) for one in holds.listing(tx, now)]
        for setting in settings:
            root = roots.by_name(tx, setting.name)
            if policy is None or root is None:
                continue
            rows = {
                row.path or path_in(stream, row.start): row
                for stream in streams.of_root(tx, root.key)
                for row in recordings.page(tx, stream.key, None, 100_000)
            }
            odd = {one.directory for one in strangers.listing(tx, root.key)}
            preset = preset_or_template(setting.layout)
            for path, info in files_below(os.fsencode(root.path)):
                row, end = rows.get(path), info.st_mtime_ns // 1000
                # What nobody can date is kept for any hold, and from its adoption on.
                doubtful = row is not None and row.state is State.QUARANTINED
                came = max(end, root.adopted or 0) if doubtful else end
                kept = any(doubtful or (a < end and b > end - HOUR) for a, b in held)
                if came + policy.longest() <= now and not kept:
                    yield f"{root.name}/{os.fsdecode(path)} is past its period and there"
                elif (
                    row is None
                    and end < now - setting.stable_after - SECOND
                    and os.path.dirname(path) not in odd
                    and not is_excluded(preset, path)
                    and not is_in_progress(preset, path)
                ):
                    yield f"{root.name}/{os.fsdecode(path)} is not known"
