"""Owns the removal of partial tiles and bundles: all that a published log ever loses.

A kill leaves some of them, and with them hidden files of its own; the next call for the
same tile removes the rest.
"""

import os

from retention.errors import PublicationError
from retention.publication.files import Directory


def drop(directory: Directory, tile: str) -> None:
    """Remove the partial files of the tile or bundle at `tile`, whose full file is
    published: whoever looks for one takes that (tlog-tiles)."""
    parent = f"{directory.path}/{tile}.p"
    try:
        for name in os.listdir(parent):
            if name.isdecimal() or name.startswith("."):
                os.unlink(f"{parent}/{name}")  # noqa: TID251 - our own, no recording
        os.rmdir(parent)  # noqa: TID251 - our own
    except FileNotFoundError:
        return
    except OSError as error:
        raise PublicationError(
            f"the partial files in {parent} can't be removed ({error.strerror}); see to "
            "that directory"
        ) from error
    directory.touch(os.path.dirname(tile))
