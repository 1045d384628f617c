"""Owns the scheduler, which only triggers: what it starts is done by worker threads.

APScheduler goes by the wall clock: it fires at once when that is set ahead and stalls
when it is set back.  So whoever sees a step calls `wake`, and nothing that is deleted
rests on when a job fired.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler import events
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from retention.model.values import SECOND, Micros
from retention.site.journal import log as journal

_TROUBLE = {
    events.EVENT_JOB_MAX_INSTANCES: "overrun",
    events.EVENT_JOB_MISSED: "missed",
    events.EVENT_JOB_ERROR: "failed",
}


class Every(BaseTrigger):  # type: ignore[misc]
    """Fires `interval` microseconds after it last did, by whatever the clock says.

    APScheduler's own interval trigger lists every run that it missed: after a jump to
    another century that takes all memory, although it would start only one of them.
    """

    def __init__(self, interval: Micros) -> None:
        self._interval = timedelta(microseconds=interval)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """At once for the first time, then always after `now`."""
        return now if previous is None else now + self._interval


class Schedule:
    """Recurring triggers, in memory only; `crashed` is told what a trigger raised."""

    def __init__(self, crashed: Callable[[str, BaseException], None]) -> None:
        self.trouble: Counter[str] = Counter()
        self._crashed = crashed
        # It would say in its own words what the listener below says in ours.
        quiet = logging.getLogger("apscheduler")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={
                "misfire_grace_time": None,
                "coalesce": True,
                "max_instances": 1,
            },
        )
        self._scheduler.add_listener(self._heard, sum(_TROUBLE))

    def add(self, name: str, every: Micros, trigger: Callable[[], None]) -> None:
        """Call `trigger` at once and then every so many microseconds."""
        self._scheduler.add_job(trigger, Every(max(every, SECOND)), id=name)

    def start(self) -> None:
        """Begin to fire."""
        self._scheduler.start()

    def wake(self, now: Micros) -> None:
        """The clock was set: fire everything at once, and go on from the new time."""
        when = datetime.fromtimestamp(now / SECOND, UTC)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=when)
        self._scheduler.wakeup()

    def stop(self) -> None:
        """Fire no more; triggers at hand are done first."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _heard(self, event: Any) -> None:
        what = _TROUBLE[event.code]
        self.trouble[what] += 1
        journal.warning("schedule.trouble", what=what, job=event.job_id)
        if event.code == events.EVENT_JOB_ERROR:
            self._crashed(event.job_id, event.exception)
