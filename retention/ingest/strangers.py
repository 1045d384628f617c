"""Unknown files summed up: what lies in a root and is nobody's recording.

Reported by directory and reason, never touched (promise P8).
"""

from retention.catalogue.unknown import Unknown
from retention.footage.read import look
from retention.footage.roots import OpenRoot
from retention.ingest.seen import Directory
from retention.model import Micros


def summarise(
    root: OpenRoot, path: bytes, directory: Directory, now: Micros
) -> list[Unknown]:
    """The unknown files of a directory, one row a reason."""
    found = []
    prefix = path + b"/" if path else b""
    for reason, names in (directory.odd or {}).items():
        sizes, mtimes, example = 0, [now], b""
        everything = names.everything()
        for name in everything:
            try:
                there = look(root, prefix + name)
            except OSError:
                continue
            if there is not None:
                sizes += there.size
                mtimes.append(there.mtime)
        if everything:
            example = min(everything)
            found.append(
                Unknown(
                    root.key, path, reason, example, len(everything), sizes,
                    min(mtimes), now,
                )
            )  # fmt: skip
    return found
