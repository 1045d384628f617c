"""What `status` and `plan` answer; each part is made by the room that knows it."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.alarm import AlarmShown
from retention.model.answers.policy import DueByCamera, ProposalShown


@dataclass(frozen=True, slots=True)
class OverdueSum:
    """Recordings that are due for longer than a cycle takes, or failed to be deleted."""

    recordings: int
    bytes: int


@dataclass(frozen=True, slots=True)
class HoldCounts:
    """How many holds there are of each state that somebody may have to act on."""

    active: int
    cooling_off: int
    review_due: int
    incomplete: int
    pending_release: int


@dataclass(frozen=True, slots=True)
class RootStatus:
    """A footage root: up to when it was read, what lies in it, what is due next.

    `held_compared`: up to when all that holds keep was compared with the disk.
    `recorder_deletes_after_days`: the age at which the recorder itself seems to delete.
    """

    root: str
    path: str
    adopted: str | None
    scanned: str | None
    reconciled: str | None
    held_compared: str | None
    recordings: int
    overdue: OverdueSum
    oldest_unheld: str | None
    next_due: str | None
    quarantined: int
    failed: int
    recorder_deletes_after_days: int | None


@dataclass(frozen=True, slots=True)
class PlanWaiting:
    """A plan that the volume guard held back until a supervisor approves it."""

    plan: int
    root: str
    proposed: str
    recordings: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class ShorterPeriod:
    """A shorter period that the settings ask for; `camera` null: the site's."""

    camera: str | None
    days: int
    proposed_days: int


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """Periods in force, and what the settings propose beside them."""

    version: int
    days: int
    shorter_periods_waiting: list[ShorterPeriod]
    overrides_of_unknown_cameras: list[str]
    proposals: list[ProposalShown]


@dataclass(frozen=True, slots=True)
class ReleaseWaiting:
    """A release of a hold that waits for a second person."""

    hold: int
    requested: str
    by: str


@dataclass(frozen=True, slots=True)
class CameraUnderHold:
    """A change of a camera under a hold that nobody has ruled on, and its entry."""

    entry: int
    at: str
    camera: str
    change: str
    holds: list[int]


@dataclass(frozen=True, slots=True)
class ReplacementWaiting:
    """Another disk for a root, which waits for a second person `until` then."""

    root: str
    requested: str
    by: str
    until: str


@dataclass(frozen=True, slots=True)
class UnknownFiles:
    """Files that are nobody's recording, of one directory and reason."""

    root: str
    directory: str
    reason: str
    example: str
    files: int
    bytes: int
    oldest: str | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class HeadMemory:
    """Where a signed head is remembered: `entries` under it, `written` when the last of
    them was; null where there is none, and `fault` why."""

    where: str
    path: str | None
    entries: int | None
    written: str | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """One screen: deleting or why not, overdue, holds, roots, what needs a person;
    `clock_in_doubt`: why `at`, and what goes by it, is not to be believed, or null."""

    at: str
    site: str
    contact: str
    deleting: bool
    why_not: list[str]
    overdue: OverdueSum
    oldest_unheld: str | None
    holds: HoldCounts
    roots: list[RootStatus]
    plans_waiting: list[PlanWaiting]
    alarms: list[AlarmShown]
    policy: PolicyInForce
    releases_waiting: list[ReleaseWaiting]
    supervisors: list[str]
    cameras_under_hold: list[CameraUnderHold]
    root_replacements_waiting: list[ReplacementWaiting]
    times_in_doubt: list[str]
    unknown: list[UnknownFiles]
    open_batches: int
    log_entries: int
    log_signed: int
    outside_memory: list[HeadMemory]
    two_person_release: bool
    require_login_uid: bool
    clock_in_doubt: str | None = None


@dataclass(frozen=True, slots=True)
class DueOnDay:
    """Recordings of a camera that are due on a local day, or ("now") already."""

    root: str
    camera: str
    location: str
    day: str
    recordings: int
    bytes: int


@dataclass(frozen=True, slots=True)
class KeptPastPeriod:
    """Recordings past their period that holds keep, and which."""

    root: str
    camera: str
    recordings: int
    bytes: int
    holds: list[int]


@dataclass(frozen=True, slots=True)
class NotDeleted:
    """Recordings of a root that are due and could not be deleted: why, and when it is
    tried again."""

    root: str
    recordings: int
    why: str
    retry_at: str


@dataclass(frozen=True, slots=True)
class PeriodPreview:
    """What else would be due if the site's period were so many days."""

    days: int
    recordings: int
    seconds: int
    bytes: int
    cameras: list[DueByCamera]


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What is due now, what of it could not be deleted, what holds keep, what falls due
    until then.

    `clock_in_doubt`: why `at` is not to be believed, or null.
    """

    at: str
    clock_in_doubt: str | None
    until: str
    days: int
    due: list[DueOnDay]
    failed: list[NotDeleted]
    ahead: list[DueOnDay]
    blocked: list[KeptPastPeriod]
    plans_waiting: list[PlanWaiting]
    preview: PeriodPreview | None
