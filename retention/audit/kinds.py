"""Every kind of audit entry, declared once: fields, types, what is hidden, rows.

`camera` is the register's internal key and `id` the published id; `root` is a root's
name and `stream` a stream's key; instants and durations are microseconds; `bytes` are
sizes.  `~` marks what identifies a member of staff, an officer or a requester, and
every free text: it goes in as a salted commitment (design, section 9).  `reason` is
always why, in a person's words.  `@` is what an entry is about and `>` what it follows
from: the `subject` and `correlation` of every entry.  Where a kind has rows, its `count`
is theirs and its `bytes` their sum.
"""

from retention.audit.canonical import to_bytes
from retention.audit.declare import Kind, declare
from retention.errors import UsageError

_FOOTAGE = "camera stream start n duration bytes"

_ALL = (
    declare(
        "log.opened",
        "The first entry: what this log is, and the key that its heads are signed with.",
        "log_id:text public_key:text format:text timezone:text pruning:text",
    ),
    declare(
        "service.started",
        "The daemon is running; before this, nothing was watched or deleted.",
        "pid:int version:text settings_digest:text",
    ),
    declare("service.stopped", "The daemon ended in an orderly way."),
    declare(
        "heartbeat",
        "Hourly counts and clocks, so that silence can be told from a gap.",
        "recordings:int overdue:int held_cameras:int holds:int oldest_unheld:int? "
        "wall:int boottime:int synchronised:bool?",
    ),
    declare("settings.loaded", "Settings were read and are in force.", "digest:text"),
    declare(
        "schema.upgraded",
        "The catalogue was brought up to this program.",
        "from:int to:int",
    ),
    declare(
        "catalogue.restored",
        "The catalogue was older than its published log: the entries from old_size up to "
        "size were read back from there, signed up to `signed`; so many entries of holds "
        "were replayed, and so many recordings left that were deleted or lost since.",
        "old_size:int size:int signed:int? holds:int recordings:int",
    ),
    declare(
        "camera.added",
        "A camera came into the register.",
        "@camera:int id:text kind:text custody:text source:text "
        "location:text? view:text? lon:text? lat:text?",
    ),
    declare(
        "camera.changed",
        "What the register says of a camera changed: name of the value to [old, new].",
        "@camera:int id:text changes:object",
    ),
    declare(
        "camera.renumbered",
        "A camera has another published id from now on.",
        "@camera:int old:text new:text",
    ),
    declare(
        "camera.moved",
        "The same camera stands elsewhere, `metres` away; changes as above.",
        "@camera:int id:text changes:object metres:int?",
    ),
    declare(
        "camera.replaced",
        "Another camera has this published id from now on, and the old one is retired: "
        "old and new are keys.",
        "@id:text old:int new:int",
    ),
    declare(
        "camera.under_hold",
        "A camera was renumbered, moved, replaced or retired under these holds: the "
        "first of `count`; people must say whether they still cover the right one.",
        "@camera:int id:text change:text holds:ints count:int",
    ),
    declare("camera.retired", "A camera was taken out of use.", "@camera:int id:text"),
    declare(
        "camera.unlisted",
        "A camera is missing from a newer published list.",
        "@camera:int id:text",
    ),
    declare(
        "camera.listed",
        "A camera that was unlisted is in the published list again.",
        "@camera:int id:text",
    ),
    declare(
        "cameras.imported",
        "A published list was read; the rows say what became of each camera.",
        "source_sha256:text added:int unchanged:int changed:int unlisted:int "
        "refused:int",
        may="id camera outcome detail",
    ),
    declare(
        "root.created",
        "A footage root has its identity file.",
        "@root:text uuid:text path:path",
    ),
    declare(
        "root.adopted",
        "The first complete scan of a root; from here on footage in it is deleted.",
        "@root:text recordings:int bytes:int oldest:int? newest:int? unknown:int "
        "zone_error:int?",
        may="camera count bytes",
    ),
    declare(
        "root.replace_requested",
        "Somebody says that another disk stands for a root; a second person must too.",
        "@root:text old:text ~reason:text",
    ),
    declare(
        "root.replaced",
        "Another disk now stands for a root: old and new are uuids.  request: the entry "
        "of the person who asked, null where it takes only one.",
        "@root:text old:text new:text >request:int? ~reason:text",
    ),
    declare(
        "stream.opened",
        "A recorder's way of naming one camera's files in one root, frozen.",
        "@stream:int root:text camera:int layout:text zone:text name:text "
        "extension:text max_length:int",
    ),
    declare(
        "stream.quarantined",
        "The times of a stream look wrong by `offset`.",
        "@stream:int offset:int",
    ),
    declare(
        "recordings.quarantined",
        "Files whose name and modification time disagree, kept until they are ruled on "
        "or their period has passed since they were seen.",
        "count:int",
        rows=f"{_FOOTAGE} reason path",
    ),
    declare(
        "recordings.resolved",
        "A person ruled on quarantined files; each row has its new start and end.",
        "count:int ruling:text ~reason:text?",
        rows=f"{_FOOTAGE} reason path new_start new_end",
    ),
    declare(
        "recording.changed",
        "Files grew after they were catalogued; their ends move later.",
        "count:int",
        rows="camera stream start n old_duration duration old_bytes bytes",
    ),
    declare(
        "recordings.lost",
        "Files vanished, and not by this program; `held` of them were under a hold.",
        "count:int bytes:int held:int",
        rows=f"{_FOOTAGE} held path",
    ),
    declare(
        "recordings.reappeared",
        "Files for a time whose footage this log calls deleted.",
        "count:int",
        rows=f"{_FOOTAGE} path",
    ),
    declare(
        "recordings.recorded",
        "What was catalogued since the last such entry: a row for each camera and UTC day "
        "of the start (days since the epoch), also of days long past.  digest: SHA-256 "
        "chained over the canonical [start, n, duration, bytes, stream] of each in the "
        "order in which they came.  gaps: the time between the first start and the last "
        "end of the row that none of them covers, or more.  origin: `catalogued`; or `corrected`: what the log "
        "lacked of a catalogue that is older than these entries or was restored, which "
        "may be less than nothing.",
        "origin:text recordings:int duration:int bytes:int",
        rows="camera day count duration bytes digest gaps",
    ),
    declare(
        "custody.alarm",
        "Files of a camera whose data is not the council's; path is one of them.",
        "@camera:int root:text count:int path:path?",
    ),
    declare(
        "unknown.overdue",
        "Files that are nobody's have lain in a directory for a whole period.",
        "@root:text directory:path count:int bytes:int oldest:int",
    ),
    declare(
        "hold.placed",
        "Footage of these cameras in [since, until) must not be deleted.  A list of "
        "cameras too long for one entry is in the rows, and `cameras` is null.  "
        "received: when a subject access request came; replaces: the hold that this one "
        "was placed instead of; request: the caller's number of the request.",
        "@hold:int kind:text cameras:ints? since:int until:int review:int margin:int "
        "received:int? replaces:int? >request:text? "
        "~reference:text? ~reason:text? ~requester:text? ~officer:text? ~force:text? "
        "~power:text? ~typed:text?",
        may="camera",
    ),
    declare(
        "hold.extended",
        "A hold covers more from now on: its window is [since, until), and these cameras "
        "came to those it had (a long list: as above).",
        "@hold:int cameras:ints? since:int until:int review:int "
        "old_since:int old_until:int old_review:int ~reason:text? ~typed:text?",
        may="camera",
    ),
    declare(
        "hold.amended",
        "What is said of a hold was added to or corrected: names of the values, and "
        "each name to [old, new].  Windows and cameras are as they were.",
        "@hold:int changed:texts ~changes:object",
    ),
    declare(
        "hold.reviewed",
        "A hold was looked at and is kept; when to look at it again.",
        "@hold:int review:int old_review:int ~reason:text?",
    ),
    declare(
        "hold.release_requested",
        "Somebody asks for the release of a hold, which stays in force until a second "
        "person approves; replaced_by: the hold that was placed instead.",
        "@hold:int replaced_by:int? ~reason:text?",
    ),
    declare(
        "hold.release_rejected",
        "The release that entry `request` asks for is not to be; the hold stays.",
        "@hold:int >request:int ~reason:text?",
    ),
    declare(
        "hold.released",
        "A hold was released; its footage may be deleted from `free_at` on.  request: "
        "the entry of the person who asked for it, null where it takes only one.",
        "@hold:int free_at:int >request:int? ~reason:text?",
    ),
    declare(
        "hold.reinstated",
        "A hold that was cooling off until `free_at` is in force again.",
        "@hold:int free_at:int ~reason:text?",
    ),
    declare("hold.cooled", "The cooling off of a released hold ended.", "@hold:int"),
    declare(
        "policy.changed",
        "Retention periods from now on; cameras: key to days, where they differ.  With "
        "a proposal's number, the actor approved it.",
        "@version:int days:int cameras:object old_days:int? old_cameras:object? "
        ">proposal:int?",
    ),
    declare(
        "policy.proposed",
        "Settings ask for a shorter period; it waits for approval.",
        "days:int cameras:object old_days:int? old_cameras:object? @proposal:int?",
    ),
    declare(
        "policy.rejected",
        "A proposal will not be applied while the settings stay as they are.",
        "@proposal:int ~reason:text",
    ),
    declare(
        "policy.withdrawn",
        "Settings do not ask for this proposal any more, or for something else.",
        "@proposal:int",
    ),
    declare(
        "rules.changed",
        "Rules that guard evidence are others now: by the names of the settings.  With a "
        "proposal's number one is weaker, and the actor approved it.",
        "old:object new:object >proposal:int?",
    ),
    declare(
        "rules.proposed",
        "Settings would weaken a rule that guards evidence; it waits for approval.",
        "@proposal:int rule:text old:text new:text",
    ),
    declare(
        "deletion.intended",
        "A batch of due recordings of one root is about to be deleted: durable before "
        "the first unlink.  oldest: first start, newest: last end.",
        "@root:text count:int bytes:int oldest:int newest:int",
        rows=f"{_FOOTAGE} due path",
    ),
    declare(
        "recordings.deleted",
        "What became of the batch of entry `intent`: how many files had which outcome, "
        "the bytes deleted, the worst lateness.  The rows are the exceptions: row "
        "number of the intent and outcome, for each that is not deleted.",
        ">intent:int deleted:int rescued:int absent:int absent_after_crash:int "
        "changed:int failed:int stopped:int bytes:int lateness:int method:text",
        may="row outcome",
    ),
    declare(
        "deletion.paused",
        "Nothing is deleted until then.",
        "until:int ~reason:text?",
    ),
    declare("deletion.resumed", "A pause was ended early.", "~reason:text?"),
    declare(
        "plan.proposed",
        "More became due at once than is believable; a person must approve it.",
        "@plan:int root:text cutoff:int count:int bytes:int digest:text",
    ),
    declare(
        "plan.approved",
        "The rows of this plan may be deleted, minus what is held.",
        "@plan:int digest:text",
    ),
    declare(
        "access.denied",
        "Somebody asked for what no role of theirs allows; `count` times since the last "
        "such entry about them.",
        "@verb:text count:int",
    ),
    declare(
        "access.changed",
        "The members of a role's groups are others than when last read.",
        "@role:text ~added:object ~removed:object",
    ),
    declare(
        "request.refused",
        "A request that was left while the service was down could not be carried out.",
        "@verb:text >request:text ~reason:text",
    ),
    declare(
        "guard.tripped",
        "Deletion stopped in this scope: a root's name, or empty for everything.",
        "@guard:text scope:text detail:text",
    ),
    declare(
        "guard.cleared",
        "A guard no longer holds: by itself, or acknowledged with a reason.",
        "@guard:text scope:text ~reason:text?",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def of(name: str) -> Kind:
    """The declaration of a kind; TypeError where there is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise TypeError(f"{name} is no kind of audit entry: declare it in kinds.py")
    return kind


def about(subject: str) -> list[str]:
    """The kinds that are about such a thing as `hold:17`; UsageError where none is."""
    thing = subject.partition(":")[0]
    found = [kind.name for kind in KINDS.values() if kind.subject == thing]
    if not found:
        raise _no_subject(subject)
    return found


def refuse_unknown(kind: str | None) -> None:
    """UsageError where this program knows no such kind.  To be asked where nothing was
    found: a newer program may have written it."""
    if kind is not None and kind not in KINDS:
        raise UsageError(
            f"no kind of entry is called {kind!r}: `retention audit kinds` lists them"
        )


def mark(subject: str) -> bytes:
    """What is in the bytes of every entry about it, and of no other; UsageError."""
    if not all(subject.partition(":")):
        raise _no_subject(subject)
    return b'"subject":' + to_bytes(subject)


def _no_subject(subject: str) -> UsageError:
    things = sorted({kind.subject for kind in KINDS.values() if kind.subject})
    return UsageError(
        f"no entry is about {subject!r}: name {', '.join(things[:-1])} or {things[-1]}, "
        "and which, such as hold:17"
    )
