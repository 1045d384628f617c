"""What verbs about alarms answer."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class AlarmShown:
    """Something that needs a person: what, where, since when, what to do.

    `number` is that of the log's entry that raised it, null where none could be written
    yet.  `rank`: "stops" (a guard: deletion is stopped), "broken" (a promise is), or
    "person" (somebody has to look).  `acknowledged_by`: how many people it takes to
    acknowledge it, 0 where it ends by its condition alone; `asked_by`: the first of two.
    """

    number: int | None
    alarm: str
    scope: str
    rank: str
    since: str
    detail: str
    remedy: str
    cameras: list[str]
    acknowledged_by: int
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class AlarmList:
    """All alarms that stand, the worst first."""

    alarms: list[AlarmShown]


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged(Changed):
    """An alarm was acknowledged; `ended` false: it waits for a second person."""

    alarm: int
    ended: bool
    detail: str
