"""What `hold.*` answers: what a hold keeps and what it came too late for, holds as they
are listed and shown, and what became of one."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field

from retention.model.answers.alarm import AlarmShown
from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class HoldStretch:
    """A stretch of time; `until` is null where it is open."""

    since: str
    until: str | None


@dataclass(frozen=True, slots=True)
class GoneStretch:
    """Recordings that are gone: how many, and the last of the entries that say so.

    `more`, here and elsewhere: it stands for so many stretches, the last of too many.
    """

    since: str
    until: str | None
    at: str
    entry: int
    entries: int
    recordings: int
    more: int | None = None


@dataclass(frozen=True, slots=True)
class SilentStretch:
    """A stretch in which no recording was seen."""

    since: str
    until: str | None
    more: int | None = None


@dataclass(frozen=True, slots=True)
class OpenStretch:
    """A stretch of which it is not known, or not yet, whether there is a recording."""

    since: str
    until: str | None
    why: str
    more: int | None = None


AnyStretch = GoneStretch | SilentStretch | OpenStretch


@dataclass(frozen=True, slots=True)
class Protected:
    """What a hold keeps of a camera: recordings (those in its margin and those whose
    times are in doubt, `in_doubt`, as well; `empty` of them are files of 0 bytes) and
    the seconds of the time asked for that they cover."""

    recordings: int
    seconds: int
    bytes: int
    in_doubt: int
    empty: int


@dataclass(frozen=True, slots=True)
class ProtectedInAll:
    """The sums over all cameras; `surplus_seconds` is kept outside the time asked for."""

    recordings: int
    seconds: int
    bytes: int
    in_doubt: int
    empty: int
    surplus_seconds: int


@dataclass(frozen=True, slots=True)
class RecorderDeletes:
    """When the recorder's own clean-up, which no hold stops, takes the first; `known`:
    whether that is known of every root."""

    first_at: str | None
    known: bool


@dataclass(frozen=True, slots=True)
class FilesBeside:
    """Files in a camera's own directory of a root that are nobody's recordings, so that
    no hold keeps them: why, and the path of one."""

    root: str
    reason: str
    example: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class HeldCamera:
    """Every instant of the time asked for of one camera: protected, or in one of the
    lists.  Times lie within the time asked for.  `files_beside` may be of that time."""

    camera: str
    location: str
    view: str
    protected: Protected
    recorder_deletes: RecorderDeletes
    deleted: list[GoneStretch]
    lost: list[GoneStretch]
    no_recording_seen: list[SilentStretch]
    not_known: list[OpenStretch]
    pending: list[OpenStretch]
    files_beside: list[FilesBeside]
    surplus_seconds: int


@dataclass(frozen=True, slots=True)
class RootNotLookedAt:
    """A root in which no look at the files was possible, and why in words."""

    root: str
    why: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look at the files that a hold keeps found, just before its answer.

    `files` were looked at.  Of these `lost` are gone, `overwritten` are other than
    catalogued and in quarantine now, `written_on` are being written, `unreadable` could
    not be looked at.  `not_looked_at`: too many files, or too little time; nothing was
    looked at in the roots named last, and why.
    """

    files: int = 0
    lost: int = 0
    overwritten: int = 0
    written_on: int = 0
    unreadable: int = 0
    not_looked_at: int = 0
    roots_not_looked_at: list[RootNotLookedAt] = field(default_factory=list)

    def plus(self, other: Inspection) -> Inspection:
        """Both together, whatever the type of a field adds up to."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Inspection(*(one + two for one, two in pairs))


@dataclass(frozen=True, slots=True)
class WhatHoldKeeps(Changed):
    """A hold as it is in force, and what it keeps.

    `hold` and `in_force_since` are null in a dry run.  `asked` is the time asked for,
    `since` and `until` are with the margin.  `repeated`: it was placed by this request
    before.  `alarms`: of its losses, and what else concerns its cameras.  `inspection` is
    null where nobody looked.  `outcome_follows`: files that were being deleted as the
    hold came.  `clock_in_doubt`: why what is said here of now may be wrong, or null.
    `all_preserved`: the whole time asked for is protected, or still to come, and no file
    of it is empty or could not be looked at.
    """

    hold: int | None
    in_force_since: str | None
    kind: str
    reference: str
    incomplete: list[str]
    same_reference: list[int]
    asked: HoldStretch
    since: str
    until: str | None
    margin_seconds: int
    review: str
    dry_run: bool
    repeated: bool
    note: str
    cameras: list[HeldCamera]
    total: ProtectedInAll
    outcome_follows: int
    clock_in_doubt: str | None
    times_in_doubt: list[str]
    alarms: list[AlarmShown]
    inspection: Inspection | None
    all_preserved: bool


@dataclass(frozen=True, slots=True)
class HoldReplaced:
    """The mistyped hold that another was placed instead of: whether its release is asked
    for, else why not."""

    hold: int
    release_requested: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class HoldPlaced(WhatHoldKeeps):
    """The answer to `hold.place`."""

    replaced: HoldReplaced | None


@dataclass(frozen=True, slots=True)
class HoldExtended(WhatHoldKeeps):
    """The answer to `hold.extend`; `extended` is false where it covered all that before,
    `request_dropped`: a release that waited came to nothing by it."""

    extended: bool
    request_dropped: bool


@dataclass(frozen=True, slots=True)
class HoldReinstated(WhatHoldKeeps):
    """The answer to `hold.reinstate`."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraCovered:
    """A camera that a hold covers."""

    camera: str
    location: str
    view: str


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """The release of a hold that somebody asked for, and the entry that says so.

    `in_log`: false where only the catalogue's row says it, so that nobody asked for it.
    """

    at: str
    by: str
    reason: str
    entry: int
    in_log: bool = True


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One hold; `state` is "active", "pending release", "cooling off" or "released".

    `asked` is the time asked for, `since` and `until` are with the margin.
    `alarms`: of its losses, and what else concerns its cameras.  `lost`: how many
    recordings vanished while it kept them and are not back, `overwritten`: how many
    became other than catalogued (shrank, were overwritten), whoever has seen to that.
    `incomplete` names what it should say and does not yet; `approvers` are those who can
    approve its release.  `not_in_log`: what of it only the catalogue's rows have, all of
    it (`WHOLE`) or its "window", "cameras" or "end"; in force until two people release it.
    `by_log_alone`: what of it only the log has, in words; nothing is deleted meanwhile.
    """

    hold: int
    state: str
    kind: str
    cameras: list[CameraCovered]
    asked: HoldStretch
    since: str
    until: str | None
    margin_seconds: int
    typed: str
    reference: str
    reason: str
    requester: str
    officer: str
    force: str
    power: str
    received: str | None
    incomplete: list[str]
    placed: str
    placed_by: str
    replaces: int | None
    review: str
    review_due: bool
    release_requested: ReleaseRequest | None
    approvers: list[str]
    released: str | None
    free_at: str | None
    alarms: list[AlarmShown]
    lost: int
    overwritten: int
    not_in_log: list[str]
    by_log_alone: list[str]


WHOLE = "hold"
"""In `not_in_log`: the log does not have the hold at all, or not in force."""


@dataclass(frozen=True, slots=True)
class HoldList:
    """The holds that were asked for, oldest first; where there are more, they go on
    `after` the last one here.  `clock_in_doubt`: why the dates may be wrong, or null."""

    holds: list[HoldRow]
    two_person_release: bool
    after: int | None = None
    clock_in_doubt: str | None = None


@dataclass(frozen=True, slots=True)
class HoldEntry:
    """An entry of the log about a hold; `came_back`: under no signed head, so that
    anybody may have written it."""

    number: int
    at: str
    kind: str
    by: str
    came_back: bool


@dataclass(frozen=True, slots=True)
class HoldShown(HoldRow):
    """One hold with everything that the log says of it; `clock_in_doubt`: why its dates
    may be wrong, or null."""

    history: list[HoldEntry]
    inspection: Inspection | None
    two_person_release: bool
    clock_in_doubt: str | None = None


@dataclass(frozen=True, slots=True)
class OldAndNew:
    """What a hold said, and what it says now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HoldAmended(Changed):
    """What a hold says was corrected: by the name of the field."""

    hold: int
    changed: dict[str, OldAndNew]
    incomplete: list[str]


@dataclass(frozen=True, slots=True)
class HoldReviewed(Changed):
    """A hold that is still needed, with the next date to look at it."""

    hold: int
    reviewed: str
    review: str
    old_review: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseAsked(Changed):
    """A release that waits for a second person; the hold stays in force."""

    hold: int
    state: str
    requested: str
    requested_by: str
    reason: str
    released: None
    free_at: None
    approvers: list[str]
    note: str


@dataclass(frozen=True, slots=True)
class HoldReleased(Changed):
    """A hold that was released and cools off until `free_at`."""

    hold: int
    state: str
    released: str
    free_at: str
    note: str


@dataclass(frozen=True, slots=True)
class ReleaseRejected(Changed):
    """A release that was turned down: the hold stays in force."""

    hold: int
    state: str
    requested_by: str
    reason: str
