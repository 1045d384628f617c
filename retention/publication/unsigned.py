"""Which entries may come back from a published directory under no signed head.

Intents are published before a head covers them, and with them what the service wrote of
its own accord within that minute; what people decide is signed at once.  Who can write
into a published directory could add an entry there without the key: so nothing comes
back unsigned by which anything is deleted that would else be kept.
"""

from retention.audit.stored import Stored

KINDS = frozenset(
    {
        *("service.started", "service.stopped", "heartbeat", "settings.loaded"),
        *("catalogue.restored", "root.created", "root.adopted", "stream.opened"),
        *("stream.quarantined", "recordings.quarantined", "recording.changed"),
        *("recordings.recorded", "recordings.lost", "recordings.reappeared"),
        *("deletion.intended", "recordings.deleted", "plan.proposed"),
        *("custody.alarm", "unknown.overdue", "guard.tripped", "guard.cleared"),
        *("access.denied", "access.changed", "request.refused", "hold.cooled"),
        # What keeps more than before may be anybody's.
        *("hold.placed", "hold.extended", "hold.amended", "hold.reviewed"),
        *("hold.reinstated", "deletion.paused", "camera.added"),
    }
)

WITHOUT_EFFECT = frozenset({"root.adopted", "guard.cleared"})
"""Of those, what comes back into the log and not into the catalogue: the service finds
out by itself, and puts it on record again."""


def effective(stored: Stored, kind: str, signed: int) -> bool:
    """Whether an entry has its effect, where a head covers the first `signed`."""
    return stored.number < signed or kind not in WITHOUT_EFFECT
