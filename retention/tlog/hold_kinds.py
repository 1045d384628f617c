"""The kinds of entries about holds; `kinds` has all others, and says what the words mean."""

from typing import Any

from retention.tlog.declare import Footage, Kind, Public, declare

_SUPER, _ROOM = "supervisor", "operator supervisor"
_KEEP = f"{_ROOM} administrator"


def _hold(name: str, meaning: str, fields: str, may: str = "", **more: Any) -> Kind:
    return declare(
        name,
        meaning,
        fields,
        may=may,
        footage=Footage.HOLD,
        public=Public.HOLDS,
        **more,
    )


HOLDING = (
    _hold(
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
        by=_KEEP,
        back="place_hold",
        keeps=True,
        tells="figures force cover",
    ),
    _hold(
        "hold.extended",
        "A hold covers more from now on: its window is [since, until), and these cameras "
        "came to those it had (a long list: as above).",
        "@hold:int cameras:ints? since:int until:int review:int "
        "old_since:int old_until:int old_review:int ~reason:text? ~typed:text?",
        may="camera",
        by=_KEEP,
        back="extend_hold",
        keeps=True,
        tells="figures force cover",
    ),
    _hold(
        "hold.amended",
        "What is said of a hold was added to or corrected: names of the values, and "
        "each name to [old, new].  Windows and cameras are as they were.",
        "@hold:int changed:texts ~changes:object",
        by=_ROOM,
        back="nothing: what it changes is not in the published log",
    ),
    _hold(
        "hold.reviewed",
        "A hold was looked at and is kept; when to look at it again.",
        "@hold:int review:int old_review:int ~reason:text?",
        by=_ROOM,
        back="review_hold",
    ),
    _hold(
        "hold.redated",
        "A clock in doubt had put a hold's review too far off: it is nearer now.",
        "@hold:int review:int old_review:int",
        by="service offline",
        back="review_hold",
    ),
    _hold(
        "hold.release_requested",
        "Somebody asks for the release of a hold, which stays in force until a second "
        "person approves; replaced_by: the hold that was placed instead.  unlogged: true "
        "where it is in the catalogue's rows alone, so that the log did not have it "
        "(change 7).",
        "@hold:int replaced_by:int? unlogged:bool? ~reason:text?",
        by=_ROOM,
        back="request_release",
        tells="force",
    ),
    _hold(
        "hold.release_rejected",
        "The release that entry `request` asks for is not to be; the hold stays.",
        "@hold:int >request:int ~reason:text?",
        by=_KEEP,
        back="reject_release",
        tells="force",
    ),
    _hold(
        "hold.released",
        "A hold was released; its footage may be deleted from `free_at` on.  request: "
        "the entry of the person who asked for it, null where it takes only one.  "
        "unlogged: as above.",
        "@hold:int free_at:int >request:int? unlogged:bool? ~reason:text?",
        by=f"{_ROOM};{_SUPER}",
        back="release_hold",
        tells="figures force",
    ),
    _hold(
        "hold.reinstated",
        "A hold that was cooling off until `free_at` is in force again.",
        "@hold:int free_at:int ~reason:text?",
        by=_SUPER,
        back="reinstate_hold",
        keeps=True,
        tells="figures force",
    ),
    _hold(
        "hold.cooled",
        "The cooling off of a released hold ended.",
        "@hold:int",
        by="service offline",
        back="cool_hold",
    ),
)
"""Part of `kinds.KINDS`."""
