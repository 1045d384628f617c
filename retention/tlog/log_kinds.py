"""The kinds of entries about the log itself and the service that writes it; `kinds` has
all others, and says what the words mean."""

from retention.tlog.declare import AGAIN, TOLD, Public, declare

LOG = (
    declare(
        "log.opened",
        "What this log is, and the key that its heads are signed with: the first entry.  "
        "origin: its name, for good; null is site/log_id.  Or a successor log is opened, "
        "whose first entries are those of the log `succeeds` that were there still: "
        "`old_head` is the last signed head over them, `lost_head` one of that log (or "
        "of one that went on for it) which was kept elsewhere; its entries lost_first to lost_last are lost (lost_first is "
        "null where it is not known from where on).  request, approval: the entries of "
        "the two people who decided it.",
        "log_id:text public_key:text format:text timezone:text pruning:text origin:text? "
        "succeeds:text? old_size:int? old_head:text? lost_head:text? lost_first:int? "
        "lost_last:int? until:int? >request:int? approval:int?",
        back="open_successor",
        tells="site force",
        public=Public.YES,
    ),
    declare(
        "log.successor_requested",
        "Somebody asks for a successor log, since entries up to lost_last are nowhere; a "
        "supervisor must agree.",
        "lost_last:int ~reason:text",
        by="administrator",
        back=AGAIN,
        public=Public.PEOPLE,
    ),
    declare(
        "log.successor_approved",
        "A supervisor agreed to the successor log that entry `request` asks for; the next "
        "start opens it.",
        ">request:int lost_last:int ~reason:text",
        by="supervisor",
        back=AGAIN,
        public=Public.PEOPLE,
    ),
    declare(
        "log.successor_rejected",
        "The successor log that entry `request` asks for is not to be.",
        ">request:int ~reason:text",
        by="supervisor",
        back=AGAIN,
        public=Public.PEOPLE,
    ),
    declare(
        "log.successor_holds",
        "A supervisor says which holds were placed, extended or put back in force in what "
        "is lost: those that cover it now, or none.",
        "holds:ints ~reason:text",
        by="supervisor",
        back="record_lost_holds",
        tells="force",
        public=Public.HOLDS,
    ),
    declare(
        "service.started",
        "The daemon is running; before this, nothing was watched or deleted.",
        "pid:int version:text settings_digest:text",
        back=TOLD,
        tells="late alive",
        public=Public.YES,
    ),
    declare(
        "service.stopped",
        "The daemon ended in an orderly way.",
        back=TOLD,
        tells="late alive",
        public=Public.YES,
    ),
    declare(
        "heartbeat",
        "Hourly counts and clocks, so that silence can be told from a gap.  counted: "
        "`recordings` are those of the books, counted with their roll-up (change 2).",
        "counted:bool? recordings:int overdue:int held_cameras:int holds:int oldest_unheld:int? "
        "wall:int boottime:int synchronised:bool?",
        back=TOLD,
        tells="late alive",
        public=Public.HOLDS,
    ),
    declare(
        "settings.loaded",
        "Settings were read and are in force.",
        "digest:text",
        back=TOLD,
        public=Public.YES,
    ),
    declare(
        "site.described",
        "What the site says of itself in its settings, from now on (change 5).  "
        "controller: whose cameras are that have none of their own; monitored_hours: "
        "when people watch them, `24/7` or days and hours in the zone of `log.opened`, "
        "null where nothing is said; published_list: where the list of cameras is "
        "published, published_list_day: of which day it is.",
        "controller:text monitored_hours:text? published_list:text? "
        "published_list_day:text?",
        by="service offline",
        back="nothing: the next start says it again where it is other",
        tells="register",
        public=Public.YES,
    ),
    declare(
        "schema.upgraded",
        "The catalogue was brought up to this program.",
        "from:int to:int",
        back=TOLD,
        public=Public.YES,
    ),
    declare(
        "schema.repair_requested",
        "Somebody asks to put into the catalogue's rows what the log has in force and they "
        "lack, `count` differences; a second person must too.",
        "count:int ~reason:text",
        by="supervisor administrator",
        back=AGAIN,
        public=Public.PEOPLE,
    ),
    declare(
        "schema.repaired",
        "What the log has in force and the catalogue's rows lacked is in them again; what "
        "the rows alone keep stays.  The rows say what it was.  request: the entry of the "
        "person who asked, null where it takes only one.",
        "count:int >request:int? ~reason:text",
        rows="detail",
        by="supervisor administrator",
        back="nothing: rows and log are compared again",
        public=Public.HOLDS,
    ),
    declare(
        "catalogue.restored",
        "The catalogue was older than its published log: the entries from old_size up to "
        "size were read back from there, signed up to `signed`; so many entries of holds "
        "were replayed, and so many recordings left that were deleted or lost since.",
        "old_size:int size:int signed:int? holds:int recordings:int",
        back=TOLD,
        tells="force",
        public=Public.HOLDS,
    ),
)
"""Part of `kinds.KINDS`."""
