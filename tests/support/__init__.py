"""What tests share, in three families.

*Values in memory*, entries, logs and published directories without a site: `dated`,
`logs` (which also opens the one catalogue with a log), `publishing`, `memory`,
`hold_examples`.

*A site without a daemon*, real files and a real catalogue: `premises.Premises` makes
directory, catalogue, log, actor, roots, settings and context, and on it stand
`site_.Site` (one root and its deleter; `crash_archive.Archive` is one of a dozen files),
`world.World` (many roots and their scanners; `plant.Plant` deletes too), `press.Press`
(log and publication) and `register.Register`.  Users of a `Site` are
`control_room.ControlRoom` (verbs about holds), `bookkeeping.Bookkeeper` (a scanner and
the books; `history` rolls dice for it) and `watched_site.Watched` (what the log tells of
the past).

*An installation with one*: `installation.Installation` writes the one settings text, each
other only what it has otherwise: `office.Office` and `room.Room` (real people),
`audited.Audited` (a published log), `recording_site.RecordingSite` (real recorders), and
the command line's in tests/cli.  `station.Station` runs the parts of one in this process.

Around them: `campaign` (how much, which draws), `fixtures`, `needs`, `once`, `people`,
`asking`, `machine`, `served`, `disks`, `victims`, `crash_cycle`, `killed`, `json_schema`.
"""
