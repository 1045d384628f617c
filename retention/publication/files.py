"""Owns how published files are written: whole and durable, or not there.

A temporary name in the same directory, fsync, rename, fsync of the directory.  The
bytes of a name are determined, so a file that is there is compared and not written
again; only heads are replaced.  A kill leaves at most a hidden file `.NAME.new`, which
the next writing of that name takes over.  Partial tiles and bundles are all that a
published log ever loses: they go once a wider one is there.
"""

import os
from contextlib import suppress
from pathlib import Path

from retention.model.errors import AlteredError, PublicationError

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class PublishedFiles:
    """One published directory; made at the first writing.

    What `put` and `replace` wrote is durable once `settle` has returned.  Errors are
    PublicationError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._touched: dict[str, None] = {}

    def put(self, name: str, data: bytes) -> bool:
        """Write a file that never changes; False where it is there already.

        Raises where it is there with other bytes: those are not ours to overwrite.
        """
        path = f"{self.path}/{name}"
        there = self.read(name)
        if there is None:
            self._write(path, data)
            return True
        if there != data:
            raise self.altered(path)
        # Its name may not be durable yet: that of a kill after the rename.
        self._touched[os.path.dirname(path)] = None
        return False

    def replace(self, name: str, data: bytes) -> None:
        """Write a file that moves on: the newest head."""
        self._write(f"{self.path}/{name}", data)

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None where there is none."""
        try:
            handle = os.open(
                f"{self.path}/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.failed(f"{self.path}/{name}", "read", error) from error
        with open(handle, "rb", buffering=0) as file:
            try:
                return file.readall()
            except OSError as error:
                raise self.failed(f"{self.path}/{name}", "read", error) from error

    def touch(self, directory: str) -> None:
        """A name in that directory of it was removed: `settle` makes that durable."""
        self._touched[f"{self.path}/{directory}"] = None

    def settle(self) -> None:
        """Make the names durable of all that was written since the last time."""
        for path in self._touched:
            try:
                _sync(path)
            except OSError as error:
                raise self.failed(path, "written", error) from error
        self._touched.clear()

    def _write(self, path: str, data: bytes) -> None:
        parent, name = os.path.split(path)
        new = f"{parent}/.{name}.new"
        try:
            try:
                handle = os.open(new, _FLAGS, FILE_MODE)
            except FileNotFoundError:
                _make(parent)
                handle = os.open(new, _FLAGS, FILE_MODE)
            try:
                with suppress(PermissionError):  # a file system without modes: a stick
                    os.fchmod(handle, FILE_MODE)
                _write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
            os.rename(new, path)
        except OSError as error:
            raise self.failed(path, "written", error) from error
        self._touched[parent] = None

    def names(self, directory: str) -> list[str]:
        """What is in a directory of it; nothing where there is none."""
        try:
            return sorted(os.listdir(f"{self.path}/{directory}"))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self.failed(f"{self.path}/{directory}", "read", error) from error

    def altered(self, path: str) -> AlteredError:
        """What is said of a file that is there with other bytes."""
        return AlteredError(
            f"{path} is there and holds something else than the catalogue's audit "
            "log: one of the two was altered. `retention audit verify` tells which. "
            f"If it is the published one, keep {self.path} for the auditor: move it "
            "away, and the next start publishes the whole log anew"
        )

    def failed(self, path: str, what: str, error: OSError) -> PublicationError:
        """What is said where one can't be "read" or "written"."""
        return PublicationError(
            f"the published audit log can't be {what} ({path}: {error.strerror}): "
            "nothing is deleted until it can be; see to that directory and its file "
            "system"
        )


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _make(path: str) -> None:
    """The directory and those above it, each durable in its own parent."""
    try:
        os.mkdir(path, DIRECTORY_MODE)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make(os.path.dirname(path))
        _make(path)
        return
    with suppress(PermissionError):
        os.chmod(path, DIRECTORY_MODE)
    _sync(os.path.dirname(path))


def _sync(path: str) -> None:
    handle = os.open(path, _DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def drop(directory: PublishedFiles, tile: str) -> None:
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
