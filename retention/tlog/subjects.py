"""What people ask entries for: a kind by its name, and a thing such as `hold:17`."""

from retention.model.errors import UsageError
from retention.tlog.canonical import to_bytes
from retention.tlog.kinds import KINDS


def about(subject: str) -> list[str]:
    """The kinds that are about such a thing as `hold:17`; UsageError where none is."""
    found = [
        one.name for one in KINDS.values() if one.subject == subject.partition(":")[0]
    ]
    if not found:
        raise _no_subject(subject)
    return found


def refuse_unknown(kind: str | None) -> None:
    """UsageError where no kind is called so; ask where nothing was found, for a newer
    program may have written it."""
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
