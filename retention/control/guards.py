"""The alarms, one declaration each: what needs a person, and what of it stops deletion.

Those that stop it are the guards: in doubt nothing is deleted (P6, design 10).  Light,
so that commands can name them: `control.alarms` raises and ends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from retention.model.errors import put_back

CLOCK = "clock"
ROOT = "root"
REQUEST = "request"
CATALOGUE = "catalogue"
MISMATCH = "mismatch"
VOLUME = "volume"
LOG = "log"
READING = "reading"
VANISHED = "vanished"
HELD_LOST = "held-lost"
OVERDUE = "overdue"
LATE = "late"
STREAM = "stream"
DOUBT = "doubt"
TIMES_MOVED = "times-moved"
ZONE = "zone"
SETTINGS = "settings"
LOST = "lost"
CAMERA_GONE = "camera-gone"
UNREACHED = "unreached"
RESTLESS = "restless"
SILENT = "silent"
UNSEEN = "unseen"
CUSTODY = "custody"
UNKNOWN = "unknown"
LEFT_ALONE = "left-alone"
REFUSED = "refused"
RULING = "ruling"
UNLOGGED = "unlogged"
UNLAWFUL = "unlawful"
MEMORY = "memory"
SUCCESSION = "succession"


class Rank(IntEnum):
    """How bad an alarm is, the worst first."""

    STOPS = 0
    """Deletion is stopped: a guard."""
    BROKEN = 1
    """A promise is broken: held footage is lost, due footage is there."""
    PERSON = 2
    """A person has to look."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`remedy`: what a person does about it, in one sentence.  `of_a_root`: it trips for
    one root, whose name is its scope.  `people`: how many it takes to acknowledge it, 0
    where it ends by its condition alone.  A guard is acknowledged by an administrator,
    any other alarm by a supervisor.  `vouched`: what somebody says who acknowledges a
    guard.  `watch`: "module:name" of what finds out where it stands, for those that
    nobody is told of.
    """

    remedy: str
    rank: Rank = Rank.PERSON
    of_a_root: bool = False
    people: int = 0
    vouched: str = ""
    watch: str = ""


def _guard(
    remedy: str, *, of_a_root: bool = False, vouched: str = "", watch: str = ""
) -> Alarm:
    return Alarm(remedy, Rank.STOPS, of_a_root, 1 if vouched else 0, vouched, watch)


_RULE = (
    "look with `retention recording list --state quarantined`, then a supervisor rules: "
    '`retention recording resolve --camera ID --shift BY --reason "..."`, such as +20m '
    "where the clock is 20 min behind, or `--times-right`"
)

ALARMS: dict[str, Alarm] = {
    CLOCK: _guard(
        "compare `timedatectl` with another clock and put time synchronisation right; "
        "deletion goes on by itself after 10 minutes synchronised, but after a jump of a "
        "day or more only once an administrator vouches for the clock: "
        '`retention guard acknowledge clock --reason "..."`',
        vouched="vouch for the clock as it is now, after a jump of a day or more. "
        "Deletion goes on by it: compare the time with another clock first, a wrong one "
        "deletes footage too early.",
    ),
    ROOT: _guard(
        "mount the right disk at the root's path, or put right what the detail says; "
        "it is looked at again with every scan. For a new disk: `retention root replace`",
        of_a_root=True,
    ),
    REQUEST: _guard(
        "see what each file `.refused` of the spool asks for, be it named here or not, "
        "place that hold by hand where it is meant, "
        "then an administrator acknowledges: "
        '`retention guard acknowledge request --reason "..."`',
        vouched="a request that was left while the service was down could not be carried "
        "out, and has been seen to.",
    ),
    CATALOGUE: _guard(
        "if it was restored and brought up to its log: look at the holds and at "
        "`retention status`, then an administrator acknowledges it, `retention guard "
        'acknowledge catalogue --reason "..."`; if it is damaged: '
        f"{put_back()}; if its entries are nowhere, do what the detail says",
        vouched="it was restored from a backup and brought up to its published log, and "
        "the holds have been looked at.",
    ),
    MISMATCH: _guard(
        "the catalogue's file was changed, or is damaged: an administrator and a "
        'supervisor put back what the log has, `retention schema repair --reason "..."`; '
        "find out who can write into the state directory. Where that refuses, or the log "
        f"itself can't be read: {put_back()}",
        watch="control.in_force:mismatch",
    ),
    VOLUME: _guard(
        "look at `retention plan`; if it is right, a supervisor approves it with "
        "`retention deletion approve`",
        of_a_root=True,
    ),
    LOG: _guard(
        "free space on the file system of the state directory, by no file of that "
        "directory itself, or put right what the "
        "detail says; deletion goes on by itself when entries can be written again",
    ),
    READING: _guard(
        "see what keeps the machine or the state directory's disk busy (`top`, `iostat`); "
        "deletion goes on by itself after a round in which all is read in time. If it "
        "comes back, send the detail to whoever looks after this program",
    ),
    VANISHED: _guard(
        "find out who took the footage and whether the disk is whole, then an "
        "administrator acknowledges it: {acknowledge}",
        of_a_root=True,
        vouched="most of a root's recordings vanished at once, and it is known why.",
    ),
    ZONE: _guard(
        "put the former time-zone data back (package tzdata) and start the service "
        "again; where the new ones are right, an administrator acknowledges it, "
        "{acknowledge}, and what was named by the former counts as lost and is taken in "
        "anew",
        of_a_root=True,
        vouched="the time zones of a root's names are right as the system has them now.",
    ),
    HELD_LOST: Alarm(
        "look on the recorder and its backups for another copy, tell whoever asked for "
        "the hold; two people acknowledge it: {acknowledge}",
        Rank.BROKEN,
        people=2,
    ),
    UNLAWFUL: Alarm(
        "look at the entries with `retention audit show` and at all of the log with "
        "`retention audit verify --deep`; find out who or what did that, and two people "
        "acknowledge it: {acknowledge}",
        Rank.BROKEN,
        people=2,
        watch="control.lawful:unlawful",
    ),
    OVERDUE: Alarm(
        "put right what the detail says: what that was in the way of goes with the next "
        "cycle, what could not be deleted when it is tried again",
        Rank.BROKEN,
        watch="reports.overdue:overdue",
    ),
    LATE: Alarm(
        "compare the recorder's clock with another clock; where the delivery is late but "
        "right, a supervisor rules: `retention recording resolve --delivery {scope} "
        '--times-right --reason "..."`, where it is off, `--shift`'
    ),
    STREAM: Alarm(
        f"compare the recorder's clock and its time zone; {_RULE}",
        watch="reports.conditions:doubtful",
    ),
    DOUBT: Alarm(
        f"compare the recorder's clock and its time zone, see who copied or changed these "
        f"files; {_RULE}",
        watch="reports.conditions:quarantined",
    ),
    TIMES_MOVED: Alarm(
        "see what copied the root's files, or mounted its disk in another way, and who "
        "can write into the catalogue's file; no "
        "recording's time moves by it, and this ends by itself after a week",
        watch="reports.conditions:times_moved",
    ),
    SETTINGS: Alarm(
        "put the settings back, or give the recorder's name to its right camera: "
        "`retention camera assign`. Where the older recordings are right as they are, a "
        "supervisor acknowledges it: {acknowledge}",
        people=1,
        watch="footage.settings_differ:differences",
    ),
    LOST: Alarm(
        "find out who deletes there, the recorder's own clean-up or a person; a "
        "supervisor acknowledges it: {acknowledge}",
        people=1,
    ),
    CAMERA_GONE: Alarm(
        "find out who removed the camera's footage; a supervisor acknowledges it: "
        "{acknowledge}",
        people=1,
    ),
    UNREACHED: Alarm(
        "give the service what it needs to read it, or make it a [[root]] of its own: a "
        "mount or a link to another disk is never walked into"
    ),
    RESTLESS: Alarm(
        "see what writes to these files: they are never at rest, so that they are no "
        "recordings yet"
    ),
    SILENT: Alarm(
        "look whether the camera and its recorder are working",
        watch="reports.conditions:silent",
    ),
    UNSEEN: Alarm(
        "look whether the camera records, and under which name; one out of use is "
        "`retention camera retire`",
        watch="reports.conditions:unseen",
    ),
    CUSTODY: Alarm(
        "have the recorder stop: the council must hold no footage of this camera; what "
        "is there is for whoever has custody to decide",
        watch="reports.conditions:custody",
    ),
    UNKNOWN: Alarm(
        "go by the reason: name their camera or layout in the settings, leave a file with "
        "several hard links a single name, or remove them by hand, but none of a time "
        "that somebody asks for: no hold keeps what is not catalogued",
        watch="reports.conditions:strangers",
    ),
    LEFT_ALONE: Alarm(
        "set the recorder to delete these by itself: this program leaves them alone, "
        "and they are pictures of people"
    ),
    RULING: Alarm(
        "look at it with `retention recording requests`, then a supervisor who did not "
        "ask decides: `retention recording approve` or `reject`"
    ),
    UNLOGGED: Alarm(
        "the catalogue's file was changed, or is damaged: what it keeps stays kept until "
        "it is released; find out who can write into the state directory",
        watch="control.in_force:unlogged",
    ),
    MEMORY: Alarm(
        "make room on that disk, let the service write to the file "
        "`.cctv-retention-head` or the directory there, and read the journal "
        "(`retention check`); a memory that is old or can't be read shows less of a "
        "catalogue that was set back",
        watch="publication.memories:unkept",
    ),
    SUCCESSION: Alarm(
        "a supervisor who did not ask decides: `retention schema successor --approve "
        '--reason "..."`, or `--reject`; once it is agreed to, start the service again',
        watch="control.successor:pending",
    ),
    REFUSED: Alarm(
        "see who asked for what with `retention audit list --kind access.denied`; a "
        "supervisor acknowledges it: {acknowledge}",
        people=1,
    ),
}

GUARDS = {name: one for name, one in ALARMS.items() if one.rank is Rank.STOPS}
"""Those that stop deletion."""

VOUCHED = [name for name, one in GUARDS.items() if one.vouched and not one.of_a_root]
"""Guards of the whole site that a person acknowledges by name."""


def remedy(name: str, scope: str = "", number: int | None = None) -> str:
    """What a person does about an alarm, in one sentence; with its scope and number as
    they are typed, where these are known."""
    typed = "N" if number is None or number < 0 else str(number)
    return (
        ALARMS[name]
        .remedy.replace("{scope}", scope)
        .replace(
            "{acknowledge}", f'`retention alarm acknowledge {typed} --reason "..."`'
        )
    )
