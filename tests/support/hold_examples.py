"""Answers of the verbs about holds, as small as their shapes allow."""

from typing import Any

FROM, TO = "2026-10-24T20:00:00Z", "2026-10-24T22:30:00Z"


def span(since: str = FROM, until: str | None = TO, **more: Any) -> dict[str, Any]:
    return {"since": since, "until": until, **more}


def camera(id: str = "1001", recordings: int = 16, **more: Any) -> dict[str, Any]:
    """A camera all of whose footage is there."""
    return {
        "camera": id,
        "location": "Market Place",
        "view": "north",
        "protected": {
            "recordings": recordings,
            "seconds": recordings * 600,
            "bytes": recordings * 250_000_000,
            "in_doubt": 0,
            "empty": 0,
        },
        "recorder_deletes": {"first_at": None, "known": False},
        "deleted": [],
        "lost": [],
        "no_recording_seen": [],
        "not_known": [],
        "pending": [],
        "files_beside": [],
        "surplus_seconds": 0,
    } | more


def placed(*cameras: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The answer to a new hold that keeps all that it asks for."""
    return kept(*cameras) | {"replaced": None} | more


def kept(*cameras: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What such a hold keeps, whatever was done to it."""
    found = list(cameras) or [camera()]
    names = ("recordings", "seconds", "bytes", "in_doubt", "empty")
    total = {name: sum(one["protected"][name] for one in found) for name in names}
    total["surplus_seconds"] = sum(one["surplus_seconds"] for one in found)
    return {
        "hold": 17,
        "in_force_since": "2026-10-26T09:30:00.250000Z",
        "dry_run": False,
        "repeated": False,
        "kind": "police",
        "reference": "26*123456",
        "incomplete": [],
        "same_reference": [],
        "asked": span(),
        "since": "2026-10-24T19:55:00Z",
        "until": "2026-10-24T22:35:00Z",
        "margin_seconds": 300,
        "review": "2027-01-24T09:30:00Z",
        "note": "protected from deletion by this program",
        "cameras": found,
        "total": total,
        "outcome_follows": 0,
        "clock_in_doubt": None,
        "times_in_doubt": [],
        "alarms": [],
        "inspection": None,
        "all_preserved": True,
    } | more


def row(number: int = 17, **more: Any) -> dict[str, Any]:
    """An active hold, as it is listed and shown."""
    return {
        "hold": number,
        "state": "active",
        "kind": "police",
        "reference": "26*123456",
        "officer": "PC 4321 Singh",
        "force": "Leicestershire Police",
        "power": "",
        "requester": "",
        "received": None,
        "reason": "assault in Market Place",
        "typed": "yesterday 21:00 to yesterday 23:30",
        "cameras": [{"camera": "1001", "location": "Market Place", "view": "north"}],
        "asked": span(),
        "margin_seconds": 300,
        "since": "2026-10-24T19:55:00Z",
        "until": "2026-10-24T22:35:00Z",
        "placed": "2026-10-26T09:30:00Z",
        "placed_by": "anna",
        "replaces": None,
        "review": "2027-01-24T09:30:00Z",
        "review_due": False,
        "incomplete": [],
        "release_requested": None,
        "approvers": [],
        "released": None,
        "free_at": None,
        "alarms": [],
        "lost": 0,
        "overwritten": 0,
        "not_in_log": [],
        "by_log_alone": [],
    } | more
