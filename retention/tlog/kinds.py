"""Every kind of audit entry, declared once: fields, what is hidden, rows, its readers.

`camera` is the register's internal key and `id` the published id; `root` is a root's
name and `stream` a stream's key; instants and durations are microseconds; `bytes` are
sizes.  `~` marks what identifies a member of staff, an officer or a requester, and
every free text: it goes in as a salted commitment (design, section 9).  `reason` is
always why, in a person's words.  `@` is what an entry is about and `>` what it follows
from: the `subject` and `correlation` of every entry.  Where a kind has rows, its `count`
is theirs and its `bytes` their sum.  `back` is what a restore does with it: an act of
`publication/replay.py`.  Where no signed head covers it, it comes back into the log
alone, but for those that are marked `keeps`.
`footage`, `fate` and `tells` are what its readers go by, `public` whether a copy for the
public has it (see `declare`).
"""

from collections.abc import Mapping
from typing import Any

from retention.model.values import NOBODY
from retention.tlog.declare import (
    AGAIN,
    OPEN,
    RULED,
    SAME,
    TOLD,
    Footage,
    Kind,
    Public,
    declare,
)
from retention.tlog.hold_kinds import HOLDING
from retention.tlog.log_kinds import LOG

_FOOTAGE = "camera stream start n duration bytes"
_PERIODS = "days:int cameras:object? old_days:int? old_cameras:object?"

SEEN = "nothing: a scan finds it again"
_FOUND: Any = {"back": SEEN, "footage": Footage.ROWS}

SERVICE = "service offline"
"""The roles in which the program writes of its own accord: running, and at `init`."""
_SUPER, _ADMIN, _ROOM = "supervisor", "administrator offline", "operator supervisor"
_BOTH, _KEEP = "supervisor administrator", f"{_ROOM} administrator"


def _as(act: str, footage: Footage, tells: str) -> Any:
    return {"back": act, "footage": footage, "tells": tells}


def _by(roles: str, act: str, **more: Any) -> Any:
    return {"by": roles, "back": act, **more}


_ALL = (
    *LOG,
    declare(
        "camera.added",
        "A camera came into the register.  published, controller, easting, northing: "
        "change 5.",
        "@camera:int id:text kind:text custody:text source:text "
        "location:text? view:text? lon:text? lat:text? easting:text? northing:text? "
        "published:text? controller:text?",
        **_as("add_camera", Footage.CAMERA, "register force ids"),
        gives=("camera", "id"),
        public=Public.NUMBER,
    ),
    declare(
        "camera.changed",
        "What the register says of a camera changed: name of the value (as in "
        "`camera.added`) to [old, new].",
        "@camera:int id:text changes:object",
        **_by(_ADMIN, "change_camera", footage=Footage.CAMERA, tells="register force"),
        public=Public.NUMBER,
    ),
    declare(
        "camera.renumbered",
        "A camera has another published id from now on.",
        "@camera:int old:text new:text",
        **_by(_ADMIN, "renumber_camera", footage=Footage.CAMERA, tells="register ids"),
        gives=("camera", "new"),
        public=Public.NUMBER,
    ),
    declare(
        "camera.moved",
        "The same camera stands elsewhere, `metres` away; changes as above.",
        "@camera:int id:text changes:object metres:int?",
        **_by(_ADMIN, "change_camera", footage=Footage.CAMERA, tells="register force"),
        public=Public.NUMBER,
    ),
    declare(
        "camera.replaced",
        "Another camera, `new`, has this id from now on; the `old` one is retired (keys).",
        "@id:text old:int new:int",
        **_by(_ADMIN, "replace_camera", footage=Footage.CAMERA, tells="register ids"),
        gives=("new", "id"),
        public=Public.NUMBER,
    ),
    declare(
        "camera.under_hold",
        "A camera was renumbered, moved, replaced or retired under these holds: the "
        "first of `count`; people must say whether they still cover the right one.",
        "@camera:int id:text change:text holds:ints count:int",
        back=TOLD,
        footage=Footage.CAMERA,
        public=Public.HOLDS,
    ),
    declare(
        "camera.retired",
        "A camera was taken out of use.",
        "@camera:int id:text",
        **_by(_ADMIN, "retire_camera", footage=Footage.CAMERA),
        tells="register",
        public=Public.NUMBER,
    ),
    declare(
        "camera.unlisted",
        "A camera is missing from a newer published list.",
        "@camera:int id:text",
        back="unlist_camera",
        footage=Footage.CAMERA,
        public=Public.NUMBER,
    ),
    declare(
        "camera.listed",
        "A camera that was unlisted is in the published list again.",
        "@camera:int id:text",
        back="list_camera",
        footage=Footage.CAMERA,
        public=Public.NUMBER,
    ),
    declare(
        "cameras.imported",
        "A published list was read; the rows say what became of each camera.",
        "source_sha256:text added:int unchanged:int changed:int unlisted:int "
        "refused:int",
        may="id camera outcome detail",
        back="nothing: each camera that changed has an entry of its own",
        footage=Footage.REFUSED,
        public=Public.YES,
    ),
    declare(
        "root.created",
        "A footage root has its identity file.",
        "@root:text uuid:text path:path",
        back="create_root",
        tells="site",
        public=Public.YES,
    ),
    declare(
        "root.adopted",
        "The first complete scan of a root; from here on footage in it is deleted.",
        "@root:text recordings:int bytes:int oldest:int? newest:int? unknown:int "
        "zone_error:int?",
        may="camera count bytes",
        back="adopt_root",
        tells="late site",
        public=Public.FOOTAGE,
    ),
    declare(
        "root.times_moved",
        "The modification times of many files of a root moved by `shift`, each file's "
        "size the same: its disk, or a copy of it, did that.  No recording's time moves.",
        "@root:text shift:int",
        back=SEEN,
        public=Public.FOOTAGE,
    ),
    declare(
        "root.replace_requested",
        "Somebody says that another disk stands for a root; a second person must too.",
        "@root:text old:text ~reason:text",
        **_by(_BOTH, AGAIN),
        public=Public.PEOPLE,
    ),
    declare(
        "root.replaced",
        "Another disk now stands for a root: old and new are uuids.  request: the entry "
        "of the person who asked, null where it takes only one.",
        "@root:text old:text new:text >request:int? ~reason:text",
        **_by(_BOTH, "replace_root"),
        public=Public.YES,
    ),
    declare(
        "stream.opened",
        "A recorder's way of naming one camera's files in one root, frozen.",
        "@stream:int root:text camera:int layout:text zone:text name:text "
        "extension:text max_length:int",
        back="open_stream",
        tells="force site",
        public=Public.CAMERA,
    ),
    declare(
        "stream.quarantined",
        "The times of a stream look wrong by `offset`; in doubt since then (change 4).",
        "@stream:int offset:int since:int?",
        back=SEEN,
        tells="force",
        public=Public.FOOTAGE,
    ),
    declare(
        "stream.doubted",
        "The times of a stream are in doubt: its recordings arrive `delay` after their "
        "own ends (less than nothing: before) or, where that is null, their modification "
        "times are their names'.  since: as above.",
        "@stream:int delay:int? since:int?",
        back=SEEN,
        tells="force",
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.quarantined",
        "Files in doubt, kept until ruled on or their period has passed since `seen`: by "
        "then they were there (change 4; rows of older logs lack it).",
        "count:int",
        rows=f"{_FOOTAGE} reason path",
        later="seen",
        **_FOUND,
        fate="quarantined",
        tells="force doubts odd",
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.resolved",
        "A person ruled on quarantined files; each row has its new start and end.  "
        "request: two people did, and this is the one who approved it.  stream: the times "
        "of all of it are understood, its doubt is over (change 4).",
        "count:int ruling:text ~reason:text? >request:int? stream:int?",
        rows=f"{_FOOTAGE} reason path new_start new_end",
        **_by(
            _SUPER,
            AGAIN,
            footage=Footage.MOVED,
            fate=RULED,
            tells="force books odd doubts",
        ),
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.assigned",
        "What a recorder wrote as `name` in a root was catalogued under the wrong camera "
        "and is this one's: these recordings; new_n: change 4.",
        "@camera:int id:text old_camera:int root:text name:text count:int ~reason:text?",
        rows=f"{_FOOTAGE} path new_camera new_stream",
        later="new_n",
        **_by(
            _BOTH, AGAIN, footage=Footage.MOVED, tells="force books odd", fate="moved"
        ),
        public=Public.FOOTAGE,
    ),
    declare(
        "ruling.proposed",
        "A ruling would take these recordings out of the cover of the holds; so it waits "
        "for a second person, and the holds keep them.  A long list is in several such "
        "entries of one request.  lifts: streams whose times would be in doubt no more.  Of holds and of streams the "
        "first 500.",
        "@request:int count:int ruling:text holds:ints lifts:ints ~reason:text?",
        rows=f"{_FOOTAGE} path new_start new_end",
        **_by(_BOTH, AGAIN, footage=Footage.ROWS, fate=SAME, tells="force"),
        public=Public.HOLDS,
    ),
    declare(
        "ruling.approved",
        "A second person agreed to a ruling that waited; what it does follows.",
        "@request:int",
        **_by(_SUPER, AGAIN, tells="force"),
        public=Public.PEOPLE,
    ),
    declare(
        "ruling.rejected",
        "A ruling that waited is not to be; its recordings stay in doubt.",
        "@request:int ~reason:text?",
        **_by(_SUPER, AGAIN, tells="force"),
        public=Public.PEOPLE,
    ),
    declare(
        "recording.changed",
        "Files grew after they were catalogued; their ends move later.",
        "count:int",
        rows="camera stream start n old_duration duration old_bytes bytes",
        **_as("grow_recordings", Footage.ROWS, "books odd"),
        fate=SAME,
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.lost",
        "Files vanished, and not by this program; `held` of them were under a hold.",
        "count:int bytes:int held:int",
        rows=f"{_FOOTAGE} held path",
        **_as("lose_recordings", Footage.ROWS, "force books odd"),
        fate="lost",
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.reappeared",
        "Files for a time whose footage this log calls deleted.",
        "count:int",
        rows=f"{_FOOTAGE} path",
        **_FOUND,
        fate="recorded",
        tells="odd",
        public=Public.FOOTAGE,
    ),
    declare(
        "recording.moved",
        "Files are elsewhere, or there again: dates and doubt stay.  origin: `lost`, the "
        "log called them so lately; `there`, they vanished from where they were and the "
        "copy was catalogued before; null is `lost`.",
        "count:int origin:text?",
        rows=f"{_FOOTAGE} new_stream new_n new_path",
        **_as("move_recordings", Footage.ROWS, "force books odd"),
        fate=RULED,
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.recorded",
        "What was catalogued since the last such entry: a row for each camera and UTC day "
        "of the start (days since the epoch).  digest: SHA-256 chained over the canonical "
        "[start, n, duration, bytes, stream] of each in the order in which they came.  "
        "gaps: the time between the first start and the last end of the row that none of "
        "them covers, or more.  hours: those with footage of the row, as bits: the lowest "
        "is the first hour of the day, the 25th that of the day after, 48 in all; null where "
        "that is not known.  origin: `catalogued`; or `corrected`: what the log lacked "
        "of a catalogue that is older or was restored, which may be less than nothing.",
        "origin:text recordings:int duration:int bytes:int",
        rows="camera day count duration bytes digest gaps",
        later="hours",
        **_as(
            "nothing: the next such entry makes up for it",
            Footage.DAYS,
            "figures books",
        ),
        public=Public.FOOTAGE,
    ),
    declare(
        "custody.alarm",
        "Files of a camera whose data is not the council's; path is one of them.  In "
        "older logs only: alarm `custody` says it since.",
        "@camera:int root:text count:int path:path?",
        back=TOLD,
        public=Public.WORDS,
    ),
    declare(
        "unknown.overdue",
        "Files that are nobody's have lain in a directory for a whole period.  In older "
        "logs only: alarm `unknown` says it since.",
        "@root:text directory:path count:int bytes:int oldest:int",
        back=TOLD,
        public=Public.WORDS,
    ),
    *HOLDING,
    declare(
        "policy.changed",
        "Retention periods from now on; cameras: key to days, where they differ (many: in "
        "the rows, `cameras` is null).  With a proposal's number, the actor approved it.",
        f"@version:int {_PERIODS} >proposal:int?",
        may="camera days old_days",
        **_by(f"{SERVICE} {_SUPER};{_SUPER}", "change_policy", tells="figures force"),
        public=Public.ROWS,
    ),
    declare(
        "policy.proposed",
        "Settings ask for a shorter period; it waits for approval (many: as above).",
        f"{_PERIODS} @proposal:int?",
        may="camera days old_days",
        back="note_proposal",
        public=Public.ROWS,
    ),
    declare(
        "policy.rejected",
        "A proposal will not be applied while the settings stay as they are.",
        "@proposal:int ~reason:text",
        **_by(_SUPER, AGAIN),
        public=Public.YES,
    ),
    declare(
        "policy.withdrawn",
        "Settings do not ask for this proposal any more, or for something else.",
        "@proposal:int",
        back="nothing: the settings are compared again",
        public=Public.YES,
    ),
    declare(
        "rules.changed",
        "Rules that guard evidence are others now: by the names of the settings.  With a "
        "proposal's number one is weaker, and the actor approved it.",
        "old:object new:object >proposal:int?",
        **_by(f"{SERVICE} {_SUPER};{_SUPER}", "change_rules", tells="force"),
        public=Public.YES,
    ),
    declare(
        "rules.proposed",
        "Settings would weaken a rule that guards evidence; it waits for approval.",
        "@proposal:int rule:text old:text new:text",
        back="note_proposal",
        public=Public.YES,
    ),
    declare(
        "deletion.intended",
        "A batch of due recordings of one root is about to be deleted: durable before "
        "the first unlink.  oldest: first start, newest: last end.  seen: from when the "
        "period of one in doubt counts, null of others: from its end (change 1; rows of "
        "older logs lack it).",
        "@root:text count:int bytes:int oldest:int newest:int",
        rows=f"{_FOOTAGE} due path",
        later="seen",
        **_by(
            SERVICE,
            "open_batch",
            footage=Footage.ROWS,
            tells="figures books",
            fate=OPEN,
        ),
        public=Public.FOOTAGE,
    ),
    declare(
        "recordings.deleted",
        "What became of the batch of entry `intent`: how many files had which outcome, "
        "the bytes deleted, the worst lateness.  The rows are the exceptions: row "
        "number of the intent and outcome, for each that is not deleted.",
        ">intent:int deleted:int rescued:int absent:int absent_after_crash:int "
        "changed:int failed:int stopped:int bytes:int lateness:int method:text",
        may="row outcome",
        **_as("complete_batch", Footage.INTENT, "figures books"),
        public=Public.FOOTAGE,
    ),
    declare(
        "deletion.paused",
        "Nothing is deleted until then.",
        "until:int ~reason:text?",
        **_by(f"{_KEEP} service", "pause_deletion", keeps=True, tells="late force"),
        public=Public.PEOPLE,
    ),
    declare(
        "deletion.resumed",
        "A pause was ended early.",
        "~reason:text?",
        **_by(_BOTH, "resume_deletion", tells="late force"),
        public=Public.PEOPLE,
    ),
    declare(
        "plan.proposed",
        "More became due at once than is believable; a person must approve it.",
        "@plan:int root:text cutoff:int count:int bytes:int digest:text",
        back=AGAIN,
        tells="late",
        public=Public.FOOTAGE,
    ),
    declare(
        "plan.approved",
        "The rows of this plan may be deleted, minus what is held.",
        "@plan:int digest:text",
        **_by(_SUPER, AGAIN, tells="late force"),
        public=Public.FOOTAGE,
    ),
    declare(
        "details.opened",
        "What identifies people in the entries of `count` holds, the first 500 of them "
        "named, was shown to the actor in a report.",
        "report:text holds:ints count:int",
        **_by("supervisor auditor administrator", TOLD),
        public=Public.HOLDS,
    ),
    declare(
        "access.denied",
        "Somebody asked, `count` times since the last such entry, for what no role allows; "
        "verb `connection`: was turned away, since too many were open.",
        "@verb:text count:int",
        **_by(f"{_KEEP} auditor {NOBODY}", TOLD),
        public=Public.PEOPLE,
    ),
    declare(
        "access.changed",
        "A role's groups have other members than before; many are in several such entries.",
        "@role:text ~added:object ~removed:object",
        back="nothing: the members are read again",
        public=Public.PEOPLE,
    ),
    declare(
        "request.refused",
        "A request that was left while the service was down could not be carried out.",
        "@verb:text >request:text ~reason:text",
        back=TOLD,
        public=Public.PEOPLE,
    ),
    declare(
        "guard.tripped",
        "Deletion stopped in this scope: a root's name, or empty for everything.",
        "@guard:text scope:text detail:text",
        back="trip_guard",
        tells="late guard stands force",
        public=Public.WORDS,
    ),
    declare(
        "guard.cleared",
        "A guard no longer holds: by itself, or acknowledged with a reason.",
        "@guard:text scope:text ~reason:text?",
        back="clear_guard",
        tells="late guard stands force",
        public=Public.WORDS,
    ),
    declare(
        "alarm.raised",
        "Something needs a person, and stands until it is over (many cameras: in the rows).",
        "@alarm:text scope:text detail:text cameras:ints?",
        may="camera",
        back="raise_alarm",
        tells="late stands force",
        public=Public.WORDS,
    ),
    declare(
        "alarm.end_asked",
        "One person asked to end an alarm that two people end.",
        "@alarm:text scope:text >raised:int ~reason:text",
        **_by(_BOTH, "nothing: who asks again is on record again"),
        public=Public.WORDS,
    ),
    declare(
        "alarm.ended",
        "An alarm stands no more: it is over, or was acknowledged with a reason.",
        "@alarm:text scope:text >raised:int acknowledged:bool ~reason:text",
        back="end_alarm",
        tells="late stands force",
        public=Public.WORDS,
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def _of(*footage: Footage) -> tuple[str, ...]:
    return tuple(kind.name for kind in _ALL if kind.footage in footage)


RECORDINGS = _of(Footage.ROWS, Footage.MOVED, Footage.DAYS, Footage.INTENT)
"""The kinds whose rows name or count recordings, and the completions of batches."""

FATES = tuple(kind.name for kind in _ALL if kind.fate not in ("", SAME))
"""The kinds whose rows say what a recording is from then on."""

OF_PEOPLE = tuple(
    kind.name
    for kind in _ALL
    if kind.by - frozenset(SERVICE.split()) and NOBODY not in kind.by
)
"""The kinds that people write, in roles of their own."""

HOLDS, CAMERAS = _of(Footage.HOLD), _of(Footage.CAMERA)
"""The kinds about holds, and about single cameras of the register."""


def of(name: str) -> Kind:
    """The declaration of a kind; TypeError where there is none."""
    if name not in KINDS:
        raise TypeError(f"{name} is no kind of audit entry: declare it in kinds.py")
    return KINDS[name]


def begins(kind: str, fields: Mapping[str, Any]) -> bool:
    """Whether such an entry is the first of all: it opens a log that succeeds none."""
    return kind == "log.opened" and fields.get("succeeds") is None


def telling(topic: str) -> tuple[str, ...]:
    """The kinds that are read for a topic (`declare.TOPICS`), in the order declared."""
    return tuple(kind.name for kind in _ALL if topic in kind.tells)
