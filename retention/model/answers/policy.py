"""What `policy.*` answers: periods and rules in force, and what the settings propose."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class RuleProposed:
    """A rule as it is, and as the settings propose it, both as people read them."""

    rule: str
    now: str
    proposed: str


@dataclass(frozen=True, slots=True)
class PeriodProposed:
    """A retention period in days, and the shorter one proposed; `camera` and `location`
    are null where it is the site's."""

    camera: str | None
    location: str | None
    days: int
    proposed_days: int


@dataclass(frozen=True, slots=True)
class DueByCamera:
    """What a shorter period would make due of one camera."""

    camera: str
    location: str
    days: int
    proposed_days: int
    recordings: int
    seconds: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DueAlso:
    """What shorter periods would make due at once; what a hold keeps is not counted."""

    recordings: int
    seconds: int
    bytes: int
    cameras: list[DueByCamera]


@dataclass(frozen=True, slots=True)
class ProposalShown:
    """What the settings propose and a supervisor decides.

    `proposal` and `proposed` are null where it is newer than the numbers: it gets its
    own at the next start, or when somebody approves one.  `state` is "waiting" or
    "rejected"; `subject` "periods" or a rule's name.
    """

    proposal: int | None
    state: str
    proposed: str | None
    subject: str
    changes: list[RuleProposed | PeriodProposed]
    would_become_due: DueAlso | None = None


@dataclass(frozen=True, slots=True)
class CameraPeriod:
    """A camera with a retention period of its own."""

    camera: str
    location: str
    days: int


@dataclass(frozen=True, slots=True)
class LongerThanLogged:
    """A camera that is kept longer than the log says, by the catalogue's row alone."""

    camera: str
    days: int
    logged_days: int


@dataclass(frozen=True, slots=True)
class RulesShown:
    """The rules in force, by the names of the settings."""

    release_requires_two_people: bool
    require_login_uid: bool
    deletion_limit: float
    deletion_floor: int
    cooling_off_seconds: int


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """Periods and rules in force, and each proposal with what it would make due.
    `not_in_log`: cameras that are kept longer than the log says."""

    version: int
    since: str | None
    days: int
    cameras: list[CameraPeriod]
    rules: RulesShown
    proposals: list[ProposalShown]
    approvers: list[str]
    overrides_of_unknown_cameras: list[str]
    not_in_log: list[LongerThanLogged]


@dataclass(frozen=True, slots=True)
class PolicyRejected(Changed):
    """A proposal that a supervisor rejected, and the entry that says so."""

    proposal: int
    subject: str
    changes: list[RuleProposed | PeriodProposed]
    entry: int


@dataclass(frozen=True, slots=True)
class PolicyApproved(Changed):
    """A proposal that a supervisor put in force, and the entry that says so."""

    proposal: int
    subject: str
    changes: list[RuleProposed | PeriodProposed]
    in_force_since: str
    entry: int
