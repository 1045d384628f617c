"""What `deletion.*` and `guard.acknowledge` answer."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class DeletionPaused(Changed):
    """Nothing is deleted before then; then it goes on by itself.

    `clock_in_doubt`: why the clock is not believed; then nothing is deleted anyway, and
    the pause is counted from when it is again.
    """

    paused_until: str
    clock_in_doubt: str | None = None


@dataclass(frozen=True, slots=True)
class DeletionResumed(Changed):
    """A pause was ended before its time."""

    resumed: str


@dataclass(frozen=True, slots=True)
class PlanApproved(Changed):
    """A plan whose recordings are deleted, but for those under a hold by then."""

    plan: int
    recordings: int
    bytes: int
    digest: str
    note: str


@dataclass(frozen=True, slots=True)
class GuardAcknowledged(Changed):
    """A guard that a person ruled on: tripped since then, for what; `believed` is the
    time by the clock as it was acknowledged, `stopped_by` each guard that stands still."""

    guard: str
    tripped: str
    detail: str
    believed: str
    stopped_by: list[str]
