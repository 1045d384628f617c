"""What people ask entries for: a kind by its name or a pattern such as `hold.*`, and a
thing such as `hold:17`."""

import re
from difflib import get_close_matches
from fnmatch import fnmatchcase

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


STARS = 3
"""In one pattern."""
_PATTERN = re.compile(r"[a-z_.*]{1,64}", re.ASCII)


def refuse_unbounded(kind: str) -> None:
    """UsageError for a pattern of kinds that is none, or could take for ever."""
    if "*" in kind and (not _PATTERN.fullmatch(kind) or kind.count("*") > STARS):
        raise UsageError(
            f"{kind!r} is no pattern of kinds: write a name such as hold.placed, or part "
            f"of one with * for the rest, such as hold.* (at most {STARS})"
        )


def matches(kind: str, wanted: str) -> bool:
    """Whether a kind is the one that is asked for, by its name or a pattern."""
    return fnmatchcase(kind, wanted) if "*" in wanted else kind == wanted


def refuse_unknown(kind: str | None) -> None:
    """UsageError where no kind is called so; ask where nothing was found, for a newer
    program may have written it."""
    if kind is None or any(matches(one, kind) for one in KINDS):
        return
    near = get_close_matches(kind.strip("*"), KINDS, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise UsageError(
        f"no kind of entry is called {kind!r}{hint}: `retention audit kinds` lists them"
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
