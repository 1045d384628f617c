"""Files that a preset leaves alone (clips, exports, previews): told once they are old.

They are what a person made in the recorder, or pictures beside recordings.  This program
deletes none of them (P8), and they are pictures of people all the same.
"""

from collections.abc import Callable, Collection

from retention.catalogue import policies
from retention.control import alarms, guards
from retention.control.alarms import Condition
from retention.footage.ingest.intake import Parts
from retention.footage.read import NOT_REGULAR, look, read_directory
from retention.model.localtime import counted, dated, format_size
from retention.model.policy import Policy
from retention.model.values import Micros
from retention.tlog.canonical import path_text


def tell(
    parts: Parts, excluded: Collection[bytes], now: Micros, stop: Callable[[], bool]
) -> None:
    """Have the alarm stand where files below these directories are older than the site's
    period.  Part of a reconciliation: every file is looked at, once a day."""
    with parts.catalogue.read() as tx:
        before = now - Policy(0, policies.policy_of(tx).days).period(0)
    work, count, size, oldest = list(excluded), 0, 0, now
    while work:
        if stop():
            return
        seen = read_directory(parts.root, work.pop())
        prefix = seen.path + b"/"
        work += [prefix + name for name in seen.directories]
        for name in seen.files:
            try:
                file = look(parts.root, prefix + name)
            except OSError:
                continue
            if file is not None and file.odd != NOT_REGULAR and file.mtime < before:
                count, size = count + 1, size + file.size
                oldest = min(oldest, file.mtime)
    found = {}
    if count:
        where = ", ".join(path_text(path) for path in sorted(excluded)[:3])
        found[parts.root.name] = Condition(
            f"{counted(count, 'file')}, {format_size(size)}, in {where}; the oldest is "
            f"{dated(oldest)}"
        )
    with parts.write(now) as tx:
        alarms.settle(tx, now, guards.LEFT_ALONE, found, root=parts.root.name)
