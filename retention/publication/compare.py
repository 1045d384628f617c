"""The comparison at start: catalogue, published directory, and heads kept elsewhere.

Each signed head is held against the catalogue's own entries, and names the case.  Until
this is done nothing may be appended: at the old size that would sign a fork.  Offline
commands ask the same before they append (`obstacle`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import heads, log
from retention.model.errors import (
    SettingsError,
    UsageError,
    VerificationError,
    put_back,
)
from retention.publication.publisher import BESIDE_KEY
from retention.tlog import note, succession
from retention.tlog.canonical import decode, from_base64url
from retention.tlog.directory import CHECKPOINT, KEY, Published, note_at
from retention.tlog.entry import Stored, origin, previous
from retention.tlog.merkle import Frontier, leaf
from retention.tlog.note import Head, Verifier
from retention.tlog.rows import digest
from retention.tlog.verify.form import misfit

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.site.settings import Settings


class Case(StrEnum):
    """How the catalogue and what was published of it stand to each other."""

    NEW = "nothing was published yet"
    EQUAL = "catalogue and published log are equal"
    BEHIND = "the published log is behind the catalogue: it is caught up"
    RESTORED = "the published log is ahead: the catalogue was restored or cut"
    ROLLED_BACK = (
        "catalogue and published log are both older than a head kept elsewhere"
    )
    FORKED = "catalogue and published log are two different logs"
    OTHER_LOG = "the published directory is of another log"
    DAMAGED = "a published head or what it covers was altered"

    @property
    def refused(self) -> bool:
        """Whether nothing is deleted, signed or published, and both sides are kept."""
        return self in (Case.ROLLED_BACK, Case.FORKED, Case.OTHER_LOG, Case.DAMAGED)


class Tail(NamedTuple):
    """Entries that the catalogue lacks: those from `first` to `last` of a directory,
    all of which follow from its own, and the largest head among them."""

    source: Published
    first: int
    last: int
    signed: Head | None


class Compared(NamedTuple):
    """What was found: the case, and for people what it means and what to do.

    `size` is the catalogue's; `tail` is there where it was restored; `adopt`: a head of
    its own entries that its table of signed heads lacks.  `lost`: a head kept elsewhere
    whose entries are in no directory; what is in one of them is in `tail` all the same.
    """

    case: Case
    size: int
    detail: str = ""
    tail: Tail | None = None
    adopt: Head | None = None
    lost: Head | None = None


class _FoundError(Exception):
    def __init__(self, case: Case, detail: str, lost: Head | None = None) -> None:
        self.case = case
        self.detail = detail
        self.lost = lost


def verifier_of(catalogue: Catalogue) -> Verifier:
    """The name and public key of the catalogue's log, from the entry that opened it."""
    with catalogue.read() as tx:
        opened = log.opening(tx)
    public = from_base64url(opened["fields"]["public_key"])
    return note.parse_vkey(note.vkey(origin(opened), public))


def check_origin(catalogue: Catalogue, settings: Settings) -> str:
    """The name of the catalogue's log; SettingsError where the settings say another than
    it was begun with."""
    name = verifier_of(catalogue).name
    with catalogue.read() as tx:
        first = origin(log.read(tx, 0))
    if settings.log_origin not in (None, first, name):
        raise SettingsError(
            f"the audit log is named {first}, for good, and the configuration says "
            f"{settings.log_origin}: correct or remove `log_origin`"
        )
    return name


def remembered(catalogue: Catalogue, directory: Path) -> Verifier:
    """The key that heads are signed with by now: the catalogue's, or that of the log that
    succeeded its own, where that is what a directory has: opened after the catalogue's
    last entry, by whoever has the same key."""
    mine, source = verifier_of(catalogue), Published(directory)
    key, name = source.key(), mine.name
    if key in (None, mine.vkey):
        return mine
    with catalogue.read() as tx:
        size = log.size(tx)
        last = log.stored(tx, size - 1, 1)[0].data
    for stored in chain(source.tail(size, rows=False), size, last, rows=False):
        entry = decode(stored.data)
        fields = entry["fields"]
        if entry["kind"] == "log.opened" and fields.get("succeeds") == name:
            name = origin(entry)
    vkey = note.vkey(name, mine.public)
    return note.parse_vkey(vkey) if vkey == key else mine


def compare(
    catalogue: Catalogue,
    directory: Path,
    copy: Path | None,
    kept: Iterable[tuple[str, bytes]],
    alive: Callable[[], None] = lambda: None,
) -> Compared:
    """Hold the catalogue's log against everything that remembers it.

    `kept`: signed heads kept elsewhere, as (where, bytes); `alive` is called while it
    gets on.  Changes nothing.
    """
    with catalogue.read() as tx:
        size, data = log.head(tx)
        own = heads.newest(tx)
    verifier = remembered(catalogue, directory)
    sources = [Published(directory)]
    if copy is not None and _is_ours(Published(copy), verifier):
        sources.append(Published(copy))
    try:
        memories = list(kept)
        _not_succeeded(catalogue, memories, copy, verifier)
        published = _published(sources[0], verifier)
        found = [published] if published else []
        for source in sources[1:]:
            there = ((str(source.directory / at), data) for at, data in source.kept())
            newest = note.newest(there, verifier)
            found += [newest] if newest else []
        elsewhere = [
            _opened(where, succession.parted(data)[0], verifier)
            for where, data in memories
        ]
        found += elsewhere
        if own is not None:
            found.append(_opened(OWN, own.note.encode(), verifier_of(catalogue)))
        tree = Frontier.from_bytes(size, data)
        _own_entries(catalogue, tree, found, elsewhere, alive)
        if published:
            _beyond(catalogue, sources[0], published.size, size)
        tail, lost = _tail(catalogue, sources, tree, found, elsewhere)
    except _FoundError as wrong:
        return Compared(wrong.case, size, wrong.detail, lost=wrong.lost)
    except (VerificationError, ValueError) as error:
        return Compared(Case.DAMAGED, size, str(error))
    if lost is not None:
        reached = tail.last if tail else size
        return Compared(
            Case.ROLLED_BACK, size, _nowhere(lost, reached), tail, lost=lost
        )
    if tail is not None:
        return Compared(Case.RESTORED, size, _restored(tail, size), tail)
    case = Case.NEW if not found else Case.BEHIND
    if published and published.size == size:
        case = Case.EQUAL
    largest = max(found, key=lambda head: head.size, default=None)
    missing = largest and largest.size > (own.size if own else 0)
    return Compared(case, size, adopt=largest if missing else None)


def differs(catalogue: Catalogue, head: Head) -> str | None:
    """What is wrong where a signed head of this log is not of the catalogue's own
    entries, or is of a log that goes on for it; None where it is.  For a memory that is
    met later than at start."""
    if head.succession:
        return f"{Case.ROLLED_BACK}: {_gone_on(head)}"
    with catalogue.read() as tx:
        size = log.size(tx)
    if head.size > size:
        return f"{Case.ROLLED_BACK}: {_nowhere(head, size)}"
    if _leads_to(heads.frontiers(catalogue, [head.size]).get(head.size), head):
        return None
    return f"{Case.FORKED}: {_went_on(head, size)}"


def _not_succeeded(
    catalogue: Catalogue,
    memories: Iterable[tuple[str, bytes]],
    copy: Path | None,
    verifier: Verifier,
) -> None:
    """Nothing remembers a log that goes on for this one: else the state directory is from
    before that was opened."""
    found = [succession.successor(*one, verifier) for one in memories]
    if copy is not None and not _is_ours(Published(copy), verifier):
        found.append(_successor_in(Published(copy), verifier))
    heads_ = [head for head in found if head is not None]
    if heads_:
        head = max(heads_, key=lambda one: one.size)
        raise _FoundError(Case.ROLLED_BACK, _gone_on(head), head)


def _successor_in(copy: Published, verifier: Verifier) -> Head | None:
    """The newest head of a second directory that has another log of the same key, which
    says that it goes on for this one; None where it has none such."""
    name = (copy.key() or "").partition("+")[0]
    try:
        theirs = note.parse_vkey(note.vkey(name, verifier.public))
    except UsageError:
        return None
    there = ((str(copy.directory / at), data) for at, data in copy.kept())
    head = note.newest(there, theirs)
    if head is None:
        return None
    for stored in copy.tail(0, rows=False):
        if b'"log.opened"' not in stored.data:
            continue
        fields = decode(stored.data)["fields"]
        if fields.get("succeeds") == verifier.name:
            return head._replace(succession=name)
    return None


def _is_ours(source: Published, verifier: Verifier) -> bool:
    """Whether a directory is one of this log, or has no key."""
    return source.key() in (None, verifier.vkey)


def _published(source: Published, verifier: Verifier) -> Head | None:
    """The published head; None where nothing was published."""
    if not _is_ours(source, verifier):
        raise _FoundError(
            Case.OTHER_LOG,
            f"{source.directory} is published by another log or with another key "
            f"({source.directory / KEY}): put the right directory back, or give this "
            "log a log_directory of its own",
        )
    data = source.read(CHECKPOINT, note.SIZE_LIMIT)
    if data is None:
        return None
    return _opened(str(source.directory / CHECKPOINT), data, verifier)


def _opened(where: str, data: bytes, verifier: Verifier) -> Head:
    try:
        return Head(where, note.open_checkpoint(data, verifier), data.decode())
    except VerificationError as error:
        raise _FoundError(
            Case.DAMAGED,
            f"the signed head in {where} can't be trusted: {error}. Keep it for the "
            "auditor, and put it away so that the service can start without it",
        ) from error


OWN = "the catalogue"
"""Where a signed head is said to be that the catalogue itself keeps."""


def _own_entries(
    catalogue: Catalogue,
    tree: Frontier,
    found: list[Head],
    elsewhere: list[Head],
    alive: Callable[[], None],
) -> None:
    """The catalogue's entries, all of them computed again, lead to its own head and to
    every signed one."""
    within = [head for head in found if head.size <= tree.size]
    sizes = {tree.size, *(head.size for head in within)}
    trees = heads.frontiers(catalogue, sizes, whole=True, alive=alive)
    wrong = sorted(
        (head for head in within if not _leads_to(trees.get(head.size), head)),
        key=lambda head: head.size,
    )
    if any(head.where == OWN for head in wrong):
        raise _FoundError(Case.DAMAGED, _altered(wrong[0].size))
    if wrong and all(head in elsewhere for head in wrong):
        ahead = (head for head in elsewhere if head.size > tree.size)
        lost = max([*wrong, *ahead], key=lambda head: head.size)
        raise _FoundError(Case.FORKED, _went_on(wrong[-1], tree.size), lost)
    if wrong:
        raise _FoundError(Case.FORKED, _forked(wrong[0]))
    if trees.get(tree.size) != tree:
        raise _FoundError(
            Case.FORKED,
            "the catalogue's entries do not lead to the head that it says: it was "
            f"altered. {_KEEP_BOTH}",
        )


def _leads_to(tree: Frontier | None, head: Head) -> bool:
    return tree is not None and tree.root() == head.checkpoint.root


_KEEP_BOTH = (
    "Keep both for the auditor. Mostly the catalogue is an older copy that went on by "
    f"itself: {put_back('the copy that it was before')}. Where no copy of it leads to "
    "what is published, that was altered"
)


def _altered(size: int) -> str:
    """What is said where the catalogue lacks what it signed itself."""
    return (
        f"an entry of the catalogue's first {size} is not the one that it signed: the "
        "catalogue was altered, or is damaged; nothing speaks against what is published. "
        f"To mend it: {put_back()}"
    )


def _forked(head: Head) -> str:
    return (
        f"the catalogue's first {head.size} entries are not those that were signed as "
        f"{head.where} says: same size, other root. {_KEEP_BOTH}"
    )


def _beyond(catalogue: Catalogue, source: Published, first: int, size: int) -> None:
    """What is published beyond the head (intents) is what the catalogue has there."""
    own = heads.entries(catalogue, first, size)
    for (number, data, _), theirs in zip(own, source.tail(first), strict=False):
        if data != theirs.data:
            raise _FoundError(
                Case.FORKED,
                f"entry {number} in {source.directory} is not the one of the "
                f"catalogue. {_KEEP_BOTH}",
            )


def _tail(
    catalogue: Catalogue,
    sources: list[Published],
    tree: Frontier,
    found: list[Head],
    elsewhere: list[Head],
) -> tuple[Tail | None, Head | None]:
    """The entries after the catalogue's last, where somebody remembers more; and the
    head that no source reaches.

    The first source that reaches the largest signed head is taken, with all that
    follows there and chains; else that which reaches the most of them, where those
    that it does not reach are all kept elsewhere.
    """
    ahead = sorted(
        (head for head in found if head.size > tree.size), key=lambda head: head.size
    )
    with catalogue.read() as tx:
        last = log.stored(tx, tree.size - 1, 1)[0].data
    signed = ahead[-1].size if ahead else tree.size
    wrong: Head | None = None
    part: Tail | None = None
    for source in sources:
        reached = tree
        roots: dict[int, bytes] = {}
        wanted = {head.size for head in ahead}
        for stored in chain(source.tail(tree.size), tree.size, last):
            if stored.number >= signed:
                _refuse_unsigned(source, stored)
            reached = reached.append(leaf(stored.data))
            if reached.size in wanted:
                roots[reached.size] = reached.root()
        bad = [
            h
            for h in ahead
            if roots.get(h.size, h.checkpoint.root) != h.checkpoint.root
        ]
        wrong = wrong or next(iter(bad), None)
        if not bad and ahead and reached.size >= ahead[-1].size:
            return Tail(source, tree.size, reached.size, ahead[-1]), None
        if not ahead and reached.size > tree.size:
            return Tail(source, tree.size, reached.size, None), None
        last_met = next((h for h in reversed(ahead) if h.size in roots), None)
        if not bad and last_met and (part is None or last_met.size > part.last):
            part = Tail(source, tree.size, last_met.size, last_met)
    if wrong is not None:
        raise _FoundError(
            Case.FORKED,
            f"what is published after the catalogue's last entry, {tree.size - 1}, does "
            f"not lead from there to the head signed in {wrong.where}: neither is a "
            f"beginning of the other. {_KEEP_BOTH}",
        )
    reach = part.last if part else tree.size
    if ahead and all(h in elsewhere for h in ahead if h.size > reach):
        if part is not None:
            return part, ahead[-1]
        raise _absent(sources, tree, ahead[-1], lost=ahead[-1])
    if ahead:
        raise _absent(sources, tree, ahead[-1])
    for source in sources:
        if next(source.tail(tree.size), None):
            raise _FoundError(
                Case.FORKED,
                f"{source.directory} holds an entry {tree.size} that does not follow "
                f"from the catalogue's last one. {_KEEP_BOTH}",
            )
    return None, None


def _refuse_unsigned(source: Published, stored: Stored) -> None:
    if why := misfit(stored, decode(stored.data)):
        raise _FoundError(
            Case.DAMAGED,
            f"{source.directory} has an entry {stored.number} that the catalogue lacks, "
            f"no signed head covers and this program can't have written: {why}. "
            f"Anybody could have put it there. {_KEEP_BOTH}",
        )


def _absent(
    sources: list[Published], tree: Frontier, head: Head, lost: Head | None = None
) -> _FoundError:
    """A head is ahead, and its entries are nowhere or do not chain."""
    for source in sources:
        if next(source.tail(tree.size), None) is not None:
            # Something is there: the tail of another history, or a damaged one.
            return _FoundError(
                Case.FORKED,
                f"{head.where} was signed at {head.size} entries, the catalogue has "
                f"{tree.size}, and what {source.directory} holds after them does not "
                f"follow or has gaps. {_KEEP_BOTH}",
            )
    return _FoundError(Case.ROLLED_BACK, _nowhere(head, tree.size), lost)


SUCCESSOR = (
    "Where they are nowhere: place the holds that you know of, then an administrator asks "
    'for a successor log, `retention schema successor --reason "..."`, and a supervisor '
    "agrees with `--approve`"
)
"""The way on where entries are lost for good."""

_NEWER_LOG = (
    "Look for a newer copy of the published log: `log` of the state directory as it was "
    "before, or log_copy. Where there is one, "
    + put_back(
        "that older copy of the catalogue once more, for the one there has gone on by "
        "itself",
        "put the newer `log` in place of the one there, or mount log_copy and leave "
        "`log` as it is",
    )
)


def _nowhere(head: Head, size: int) -> str:
    last = head.size - 1
    which = f"entry {size} is" if size == last else f"entries {size} to {last} are"
    return (
        f"{head.where} was signed at {head.size} entries, the catalogue has {size}, and "
        f"{which} in no published directory: it was "
        f"restored from an older copy, or the whole machine set back. {_NEWER_LOG}. "
        f"{SUCCESSOR}"
    )


def _gone_on(head: Head) -> str:
    return (
        f"{head.where} has a head of {head.checkpoint.origin}, the log that goes on for "
        "this one: this state directory is from before that was opened, and what was "
        "decided since is not in it. To have it back: "
        + put_back(
            "the newest copy of the state directory",
            "with the `log` and `last-checkpoint` of that copy",
        )
        + f". {SUCCESSOR}"
    )


def _went_on(head: Head, size: int) -> str:
    return (
        f"{head.where} was signed at {head.size} entries, which are not the first "
        f"{head.size} of the catalogue's {size}: it was restored from an older copy and "
        f"went on without them. {_NEWER_LOG}. {SUCCESSOR}"
    )


def chain(
    entries: Iterable[Stored], first: int, last: bytes, *, rows: bool = True
) -> Iterator[Stored]:
    """Those entries that follow from `last`, one from the other, whole (with `rows` also
    their row files); up to the first that does not."""
    number = first
    for stored in entries:
        try:
            entry = decode(stored.data)
            follows = (
                stored.number == entry["index"] == number
                and entry["prev"] == previous(last)
                and type(entry["kind"]) is str
                and type(entry["fields"]) is dict
                and (not rows or _has_its_rows(entry, stored))
            )
        except (ValueError, KeyError, TypeError):
            return
        if not follows:
            return
        yield stored
        last, number = stored.data, number + 1


def _has_its_rows(entry: dict[str, object], stored: Stored) -> bool:
    said = entry.get("rows_sha256")
    return said == (None if stored.rows is None else digest(stored.rows))


def _restored(tail: Tail, size: int) -> str:
    return (
        f"the catalogue ends at entry {size - 1} and its published log at "
        f"{tail.last - 1}: it was restored from a backup, or cut. The missing entries "
        f"were read back from {tail.source.directory}"
    )


def obstacle(
    catalogue: Catalogue,
    settings: Settings,
    in_roots: Callable[[Verifier], Iterable[tuple[str, bytes]]],
) -> str | None:
    """Why nothing may be appended to this catalogue's log now; None where it may.

    `in_roots` reads the heads that the footage roots have.
    """
    beside = note_at(settings.state_directory / BESIDE_KEY)
    found = compare(
        catalogue,
        settings.published_log,
        settings.log_copy,
        [*beside, *in_roots(remembered(catalogue, settings.published_log))],
    )
    if found.case is Case.RESTORED:
        return (
            f"{found.case}; start the service, which reads the missing entries back "
            f"from {settings.published_log}. Nothing was added"
        )
    return f"{found.case}: {found.detail}" if found.case.refused else None
