"""The catalogue's tables: numbered migrations in plain SQL, and their Core twins.

A migration is never edited once released; a change is a new number.  Plain SQL, since
tools that rebuild a table drop its triggers in silence, and the triggers here keep the
audit log append-only.  `tests/catalogue/test_schema.py` compares both forms.
"""

import sqlalchemy as sa

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # What this catalogue is: its uuid, the site, the log's id.
        """CREATE TABLE meta (
            name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        # Counters that caches compare: `holds` moves with every change of a hold.
        """CREATE TABLE version (
            name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "INSERT INTO version VALUES ('holds', 0)",
        """CREATE TABLE camera (
            key INTEGER PRIMARY KEY, location TEXT NOT NULL, view TEXT NOT NULL,
            kind TEXT NOT NULL, custody TEXT NOT NULL, lon REAL, lat REAL,
            listed INTEGER NOT NULL, retired INTEGER NOT NULL
        ) STRICT""",
        # Published ids are labels with validity: [valid_from, valid_to), null: today.
        """CREATE TABLE camera_id (
            id TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER,
            camera INTEGER NOT NULL REFERENCES camera (key),
            PRIMARY KEY (id, valid_from, camera)
        ) STRICT, WITHOUT ROWID""",
        "CREATE UNIQUE INDEX camera_id_today ON camera_id (id) WHERE valid_to IS NULL",
        """CREATE UNIQUE INDEX camera_today ON camera_id (camera)
            WHERE valid_to IS NULL""",
        # adopted: first complete scan.  caught_up: the `now` of the last cycle that
        # left nothing due behind; what was due before it and turns up is a surprise.
        """CREATE TABLE root (
            key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, path TEXT NOT NULL,
            uuid TEXT NOT NULL UNIQUE, device INTEGER, boot TEXT,
            adopted INTEGER, caught_up INTEGER, scanned INTEGER, reconciled INTEGER
        ) STRICT""",
        """CREATE TABLE stream (
            key INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES root (key),
            camera INTEGER NOT NULL REFERENCES camera (key), layout TEXT NOT NULL,
            zone TEXT NOT NULL, name TEXT NOT NULL, extension TEXT NOT NULL,
            max_length INTEGER NOT NULL, quarantined INTEGER,
            UNIQUE (root, layout, zone, name, extension, camera)
        ) STRICT""",
        # The small clustered row: state as in model.State, no path, no camera.
        """CREATE TABLE recording (
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            duration INTEGER NOT NULL CHECK (duration > 0), size INTEGER NOT NULL,
            state INTEGER NOT NULL, PRIMARY KEY (stream, start, n)
        ) STRICT, WITHOUT ROWID""",
        # Only where rendering (stream, start) does not give the file's path.
        """CREATE TABLE recording_path (
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            path BLOB NOT NULL, PRIMARY KEY (stream, start, n)
        ) STRICT, WITHOUT ROWID""",
        "CREATE UNIQUE INDEX recording_path_once ON recording_path (stream, path)",
        """CREATE TABLE quarantine (
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            seen INTEGER NOT NULL, mtime INTEGER NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (stream, start, n)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE failure (
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            since INTEGER NOT NULL, tries INTEGER NOT NULL,
            retry_at INTEGER NOT NULL, error TEXT NOT NULL,
            PRIMARY KEY (stream, start, n)
        ) STRICT, WITHOUT ROWID""",
        # One open deletion intent; the rows are the intent entry's.
        """CREATE TABLE batch (
            intent INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES root (key)
        ) STRICT""",
        # until: FOREVER where open-ended.  released: when the release took effect;
        # free_at: when cooling off ends.  Both null while the hold is active.
        """CREATE TABLE hold (
            key INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL,
            reason TEXT NOT NULL, requester TEXT NOT NULL, since INTEGER NOT NULL,
            until INTEGER NOT NULL, typed TEXT NOT NULL, margin INTEGER NOT NULL,
            placed INTEGER NOT NULL, placed_by INTEGER NOT NULL,
            review INTEGER NOT NULL, released INTEGER, free_at INTEGER,
            CHECK (since < until)
        ) STRICT""",
        """CREATE TABLE hold_camera (
            camera INTEGER NOT NULL REFERENCES camera (key),
            hold INTEGER NOT NULL REFERENCES hold (key), PRIMARY KEY (camera, hold)
        ) STRICT, WITHOUT ROWID""",
        # Nothing that changes a hold can forget to move the holds' version.
        *(
            f"""CREATE TRIGGER {table}_{verb.lower()} AFTER {verb} ON {table}
            BEGIN UPDATE version SET value = value + 1 WHERE name = 'holds'; END"""
            for table in ("hold", "hold_camera")
            for verb in ("INSERT", "UPDATE", "DELETE")
        ),
        # cameras: JSON object, camera key to days.
        """CREATE TABLE policy (
            version INTEGER PRIMARY KEY, at INTEGER NOT NULL, days INTEGER NOT NULL,
            cameras TEXT NOT NULL
        ) STRICT""",
        # state: proposed, approved, done, superseded.
        """CREATE TABLE plan (
            key INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES root (key),
            at INTEGER NOT NULL, cutoff INTEGER NOT NULL, count INTEGER NOT NULL,
            size INTEGER NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE plan_row (
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            plan INTEGER NOT NULL REFERENCES plan (key),
            PRIMARY KEY (stream, start, n)
        ) STRICT, WITHOUT ROWID""",
        # Files that are nobody's: reported by directory, never touched.
        """CREATE TABLE unknown (
            root INTEGER NOT NULL REFERENCES root (key), directory BLOB NOT NULL,
            reason TEXT NOT NULL, example BLOB NOT NULL, count INTEGER NOT NULL,
            size INTEGER NOT NULL, oldest INTEGER NOT NULL, seen INTEGER NOT NULL,
            PRIMARY KEY (root, directory, reason)
        ) STRICT, WITHOUT ROWID""",
        # Guards that are tripped now.  scope: a root's name, or ''.
        """CREATE TABLE guard (
            name TEXT NOT NULL, scope TEXT NOT NULL, since INTEGER NOT NULL,
            detail TEXT NOT NULL, PRIMARY KEY (name, scope)
        ) STRICT, WITHOUT ROWID""",
        # Small facts that outlive a process, as JSON: clock, pause, heartbeat ...
        """CREATE TABLE fact (
            name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        # The audit log.  kind and at repeat what the bytes say, to find entries by.
        """CREATE TABLE entry (
            number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,
            bytes BLOB NOT NULL
        ) STRICT""",
        "CREATE INDEX entry_kind ON entry (kind, number)",
        "CREATE INDEX entry_at ON entry (at)",
        """CREATE TABLE log_head (
            id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL,
            frontier BLOB NOT NULL
        ) STRICT""",
        "INSERT INTO log_head VALUES (1, 0, x'')",
        """CREATE TABLE entry_rows (
            entry INTEGER PRIMARY KEY, bytes BLOB NOT NULL
        ) STRICT""",
        """CREATE TABLE disclosure (
            entry INTEGER NOT NULL, field TEXT NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (entry, field)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE entry_camera (
            camera INTEGER NOT NULL, hour INTEGER NOT NULL, entry INTEGER NOT NULL,
            PRIMARY KEY (camera, hour, entry)
        ) STRICT, WITHOUT ROWID""",
        # Against accidents, not attackers: the tree shows what got past these.
        *(
            f"""CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""
            for table, verb in (
                ("entry", "UPDATE"),
                ("entry", "DELETE"),
                ("entry_rows", "UPDATE"),
                ("entry_rows", "DELETE"),
                ("entry_camera", "UPDATE"),
                ("entry_camera", "DELETE"),
                ("disclosure", "UPDATE"),
            )
        ),
        """CREATE TRIGGER log_head_delete BEFORE DELETE ON log_head
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
        """CREATE TRIGGER log_head_update BEFORE UPDATE ON log_head
            WHEN NEW.size <= OLD.size
            BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
    ),
    (
        # Whose request it was.  received: when a subject access request came in.
        # request: the caller's own number of it, so that a retry is no second hold.
        # cooled: when the end of the cooling off was put on record.
        *(
            f"ALTER TABLE hold ADD COLUMN {column}"
            for column in (
                "officer TEXT NOT NULL DEFAULT ''",
                "force TEXT NOT NULL DEFAULT ''",
                "power TEXT NOT NULL DEFAULT ''",
                "received INTEGER",
                "placed_login INTEGER NOT NULL DEFAULT 4294967295",
                "request TEXT",
                "cooled INTEGER",
                "replaces INTEGER",
            )
        ),
        "CREATE UNIQUE INDEX hold_request ON hold (request) WHERE request IS NOT NULL",
        # A release that waits for a second person; the hold is active until then.
        """CREATE TABLE release_request (
            hold INTEGER PRIMARY KEY REFERENCES hold (key), at INTEGER NOT NULL,
            uid INTEGER NOT NULL, login INTEGER NOT NULL, name TEXT NOT NULL,
            reason TEXT NOT NULL, entry INTEGER NOT NULL
        ) STRICT""",
    ),
    (
        # Every head that was signed, before it was published.  frontier: of that size.
        """CREATE TABLE checkpoint (
            size INTEGER PRIMARY KEY, root BLOB NOT NULL, frontier BLOB NOT NULL,
            note TEXT NOT NULL, at INTEGER NOT NULL
        ) STRICT""",
        *(
            f"""CREATE TRIGGER checkpoint_{verb.lower()} BEFORE {verb} ON checkpoint
            BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END"""
            for verb in ("UPDATE", "DELETE")
        ),
        """CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint
            WHEN NEW.size <= (SELECT ifnull(max(size), -1) FROM checkpoint)
            BEGIN SELECT RAISE(ABORT, 'a smaller head was never signed'); END""",
        # What was catalogued and is in no roll-up yet: by camera and UTC day of the
        # start.  digest: chained over the recordings in the order they came.  first,
        # until: the earliest start and the latest end among them.
        """CREATE TABLE tally (
            camera INTEGER NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL,
            duration INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL,
            first INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (camera, day)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        # The longest recording that is there, for look-ups; max_length says only what
        # a file is believed to be.
        "ALTER TABLE stream ADD COLUMN reach INTEGER NOT NULL DEFAULT 0",
        "UPDATE stream SET reach = max_length",
    ),
    (
        # Alarms that stand now, guards among them.  number: of the entry that raised it;
        # below 0 where it was raised under an older schema.  scope: a root's name, ''
        # for everything, or what else its kind says.  cameras: keys as JSON.  asked: of
        # one that two people end, who asked first, as JSON.
        """CREATE TABLE alarm (
            number INTEGER PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL,
            since INTEGER NOT NULL, detail TEXT NOT NULL, cameras TEXT NOT NULL,
            asked TEXT, UNIQUE (name, scope)
        ) STRICT""",
        """INSERT INTO alarm SELECT -row_number() OVER (ORDER BY name, scope),
            name, scope, since, detail, '[]', NULL FROM guard""",
        "DROP TABLE guard",
    ),
    (
        # A ruling that would end a hold's cover waits for a second person.  said: its
        # words.  lifts: JSON list of the streams whose doubt it would end.  approved:
        # it is being carried out, row by row.
        """CREATE TABLE ruling_request (
            number INTEGER PRIMARY KEY, at INTEGER NOT NULL, uid INTEGER NOT NULL,
            login INTEGER NOT NULL, name TEXT NOT NULL, said TEXT NOT NULL,
            reason TEXT NOT NULL, lifts TEXT NOT NULL, approved INTEGER
        ) STRICT""",
        # What it uncovers.  holds: JSON list of those whose cover it ends.
        """CREATE TABLE ruling_row (
            request INTEGER NOT NULL REFERENCES ruling_request (number),
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            duration INTEGER NOT NULL, new_start INTEGER NOT NULL,
            new_duration INTEGER NOT NULL, path BLOB, holds TEXT NOT NULL,
            PRIMARY KEY (request, stream, start, n)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        # Recordings whose period was over when they were catalogued: a plan is always
        # asked for.
        """CREATE TABLE due_when_found (
            stream INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (stream, start, n)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        # What vanished under a hold, by its path; own: as in recording_path, or null.
        """CREATE TABLE lost_held (
            root INTEGER NOT NULL, path BLOB NOT NULL, stream INTEGER NOT NULL,
            start INTEGER NOT NULL, duration INTEGER NOT NULL, own BLOB,
            PRIMARY KEY (root, path)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        # All that vanished of late, with what is needed to know it again.
        """CREATE TABLE lost (
            root INTEGER NOT NULL, path BLOB NOT NULL, stream INTEGER NOT NULL,
            start INTEGER NOT NULL, n INTEGER NOT NULL, duration INTEGER NOT NULL,
            size INTEGER NOT NULL, own BLOB, at INTEGER NOT NULL,
            held INTEGER NOT NULL, seen INTEGER, mtime INTEGER, reason TEXT,
            PRIMARY KEY (root, path)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX lost_start ON lost (stream, start)",
        "CREATE INDEX lost_at ON lost (root, at)",
        "INSERT INTO lost SELECT root, path, stream, start, 0, duration, -1, own, 0, 1, "
        "NULL, NULL, NULL FROM lost_held",
        "DROP TABLE lost_held",
    ),
    ("CREATE INDEX hold_camera_hold ON hold_camera (hold)",),
    (
        # published: full, number or no; null: as its kind says.  controller: null: the
        # site's own.  easting, northing: metres of the national grid, where the camera's
        # place was given so; then lon and lat are null.
        *(
            f"ALTER TABLE camera ADD COLUMN {column}"
            for column in (
                "published TEXT",
                "controller TEXT",
                "easting REAL",
                "northing REAL",
            )
        ),
    ),
    (
        # hours: those with footage since the day began, as bits; null: not known.
        "ALTER TABLE tally ADD COLUMN hours INTEGER",
    ),
)

VERSION = len(MIGRATIONS)

metadata = sa.MetaData()


def _table(name: str, *columns: str, key: int = 1) -> sa.Table:
    """A Core table; the first `key` columns are its primary key."""
    kinds = {"i": sa.Integer, "t": sa.Text, "b": sa.LargeBinary, "r": sa.REAL}
    return sa.Table(
        name,
        metadata,
        *(
            sa.Column(
                column.partition(":")[0],
                kinds[column.partition(":")[2] or "i"],
                primary_key=number < key,
            )
            for number, column in enumerate(columns)
        ),
    )


meta = _table("meta", "name:t", "value:t")
version = _table("version", "name:t", "value")
camera = _table(
    "camera", "key", "location:t", "view:t", "kind:t", "custody:t", "lon:r", "lat:r",
    "listed", "retired", "published:t", "controller:t", "easting:r", "northing:r",
)  # fmt: skip
camera_id = _table("camera_id", "id:t", "valid_from", "valid_to", "camera")
root = _table(
    "root", "key", "name:t", "path:t", "uuid:t", "device", "boot:t", "adopted",
    "caught_up", "scanned", "reconciled",
)  # fmt: skip
stream = _table(
    "stream", "key", "root", "camera", "layout:t", "zone:t", "name:t", "extension:t",
    "max_length", "quarantined", "reach",
)  # fmt: skip
recording = _table(
    "recording", "stream", "start", "n", "duration", "size", "state", key=3
)
recording_path = _table("recording_path", "stream", "start", "n", "path:b", key=3)
quarantine = _table(
    "quarantine", "stream", "start", "n", "seen", "mtime", "reason:t", key=3
)
failure = _table(
    "failure", "stream", "start", "n", "since", "tries", "retry_at", "error:t", key=3
)
batch = _table("batch", "intent", "root")
hold = _table(
    "hold", "key", "kind:t", "reference:t", "reason:t", "requester:t", "since", "until",
    "typed:t", "margin", "placed", "placed_by", "review", "released", "free_at",
    "officer:t", "force:t", "power:t", "received", "placed_login", "request:t",
    "cooled", "replaces",
)  # fmt: skip
release_request = _table(
    "release_request", "hold", "at", "uid", "login", "name:t", "reason:t", "entry"
)
ruling_request = _table(
    "ruling_request", "number", "at", "uid", "login", "name:t", "said:t", "reason:t",
    "lifts:t", "approved",
)  # fmt: skip
lost = _table(
    "lost", "root", "path:b", "stream", "start", "n", "duration", "size", "own:b", "at",
    "held", "seen", "mtime", "reason:t", key=2,
)  # fmt: skip
ruling_row = _table(
    "ruling_row", "request", "stream", "start", "n", "duration", "new_start",
    "new_duration", "path:b", "holds:t", key=4,
)  # fmt: skip
hold_camera = _table("hold_camera", "camera", "hold", key=2)
policy = _table("policy", "version", "at", "days", "cameras:t")
plan = _table(
    "plan", "key", "root", "at", "cutoff", "count", "size", "digest:t", "state:t"
)
plan_row = _table("plan_row", "stream", "start", "n", "plan", key=3)
due_when_found = _table("due_when_found", "stream", "start", "n", key=3)
unknown = _table(
    "unknown", "root", "directory:b", "reason:t", "example:b", "count", "size",
    "oldest", "seen", key=3,
)  # fmt: skip
alarm = _table(
    "alarm", "number", "name:t", "scope:t", "since", "detail:t", "cameras:t", "asked:t"
)
fact = _table("fact", "name:t", "value:t")
entry = _table("entry", "number", "at", "kind:t", "bytes:b")
log_head = _table("log_head", "id", "size", "frontier:b")
entry_rows = _table("entry_rows", "entry", "bytes:b")
disclosure = _table("disclosure", "entry", "field:t", "text:t", key=2)
entry_camera = _table("entry_camera", "camera", "hour", "entry", key=3)
checkpoint = _table("checkpoint", "size", "root:b", "frontier:b", "note:t", "at")
tally = _table(
    "tally", "camera", "day", "count", "duration", "size", "digest:b", "first", "until",
    "hours", key=2,
)  # fmt: skip
