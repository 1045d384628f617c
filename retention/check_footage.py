"""What stands in the way of deleting below a footage root: mounts, rights, sticky bits.

Looks only; what it says is as true as the moment of looking.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention import unit
from retention.init import rights
from retention.layouts.presets import is_excluded, preset_or_template

if TYPE_CHECKING:
    from retention.settings import RootSettings

FSTAB = Path("/etc/fstab")

_EVERY = 1_000  # directories between two words of progress

Progress = Callable[[str], None]


class Finding(NamedTuple):
    """`level`: "error" where footage is not deleted on time, else "warning"."""

    level: str
    what: str
    remedy: str


def error(what: str, remedy: str) -> Finding:
    """Something that must be mended before footage is deleted on time."""
    return Finding("error", what, remedy)


def warning(what: str, remedy: str) -> Finding:
    """Something that should be known."""
    return Finding("warning", what, remedy)


def findings_of(
    root: RootSettings, state_directory: Path, progress: Progress
) -> Iterator[Finding]:
    """Everything about one root, the cheap looks first."""
    yield from _mounted(root)
    yield from _unit(root)
    try:
        here = os.stat(root.path)
        disk = os.statvfs(root.path)
    except OSError as problem:
        yield error(
            f"footage root {root.name} ({root.path}): {problem.strerror}",
            "mount its disk, or correct its path in the configuration",
        )
        return
    if disk.f_flag & os.ST_RDONLY:
        yield error(
            f"footage root {root.name} ({root.path}) is mounted read-only",
            "see the kernel's log for why, then mount it for writing",
        )
        return
    if state_directory.exists() and os.stat(state_directory).st_dev == here.st_dev:
        yield warning(
            f"the catalogue ({state_directory}) is on the same file system as the "
            f"footage of {root.name}: when that is full, holds can't be stored",
            "keep state_directory on another disk",
        )
    with _as_owner_of(state_directory):
        yield from _rights(root, here.st_dev, progress)


@contextmanager
def _as_owner_of(state_directory: Path) -> Iterator[None]:
    """Root may do everything, so root looks as the service's user.

    Only the effective ids change, and back: nothing else runs in this process.
    """
    try:
        owner = os.stat(state_directory)
    except OSError:
        owner = os.stat("/")
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups(_groups_of(owner.st_uid, owner.st_gid))
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def _groups_of(uid: int, gid: int) -> list[int]:
    import pwd

    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        return [gid]


class _Problem(NamedTuple):
    """A kind of trouble met in the walk; `remedy` is for all of its directories."""

    what: str
    remedy: str


def _rights(root: RootSettings, device: int, progress: Progress) -> Iterator[Finding]:
    """Deleting a file takes write and search rights on its directory, nothing else."""
    counts: Counter[_Problem] = Counter()
    examples: dict[_Problem, bytes] = {}
    for seen, (path, problem) in enumerate(_walk(root, device), 1):
        if seen % _EVERY == 0:
            progress(f"{root.name}: {seen} directories looked at")
        if problem is not None:
            counts[problem] += 1
            examples.setdefault(problem, path)
    for problem, count in counts.items():
        example = os.fsdecode(os.path.join(os.fsencode(root.path), examples[problem]))
        more = f" and {count - 1} more" if count > 1 else ""
        yield error(f"{example}{more}: {problem.what}", problem.remedy)


def _walk(root: RootSettings, device: int) -> Iterator[tuple[bytes, _Problem | None]]:
    """Each directory below the root (its path from there), and what is wrong with it."""
    preset = preset_or_template(root.layout)
    top = os.fsencode(root.path)
    work = [b""]
    while work:
        path = work.pop()
        try:
            fd = os.open(os.path.join(top, path), _DIRECTORY)
        except OSError as problem:
            yield path, _unreadable(problem)
            continue
        try:
            here = os.fstat(fd)
            if here.st_dev != device:
                yield path, _OTHER_MOUNT
                continue
            yield path, _directory_problem(root, fd, here)
            with os.scandir(fd) as found:
                names = [
                    os.path.join(path, os.fsencode(one.name))
                    for one in found
                    if one.name != "lost+found" and one.is_dir(follow_symlinks=False)
                ]
            work += sorted(n for n in names if not is_excluded(preset, n))[::-1]
        except OSError as problem:
            yield path, _unreadable(problem)
        finally:
            os.close(fd)


_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_OTHER_MOUNT = _Problem(
    "another file system is mounted inside a footage root; nothing in it is catalogued "
    "or deleted",
    "give it a [[root]] of its own, and let no root lie inside another",
)


def _unreadable(problem: OSError) -> _Problem:
    return _Problem(
        f"the service can't read this directory ({problem.strerror}), so what is in it "
        "is not known and stays for ever",
        "give it read, write and search rights there: `retention init` prints how",
    )


def _directory_problem(
    root: RootSettings, fd: int, here: os.stat_result
) -> _Problem | None:
    uid = os.geteuid()
    if here.st_mode & stat.S_ISVTX and uid not in (0, here.st_uid):
        return _Problem(
            "the sticky bit lets only a file's own user delete it",
            f"chmod -t that directory, or run the service as the user of {root.name}'s "
            "recorder",
        )
    # By the directory's own descriptor: the path may lead elsewhere by now.
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True):
        return _Problem(
            "the service may not delete here (it needs write and search rights on the "
            "directory)",
            f"as root: {rights(str(root.path))} -- where directories that the recorder "
            "makes later come without these rights, it makes them with mode 0755, which "
            "cuts inherited rights off: start it with a mode of 0775 or 0777, or give "
            f"the service AmbientCapabilities=CAP_DAC_OVERRIDE and "
            f"CapabilityBoundingSet=CAP_DAC_OVERRIDE in {unit.DROP_IN}",
        )
    return None


def _mounted(root: RootSettings) -> Iterator[Finding]:
    """A path that lies on the system's disk while its own is not mounted."""
    for point in _mount_points():
        if point != Path("/") and (root.path == point or point in root.path.parents):
            if not os.path.ismount(point):
                yield error(
                    f"{FSTAB} mounts a file system at {point}, but it is not mounted "
                    f"now, so footage root {root.name} is not the right one",
                    f"mount {point}",
                )
            return


def _mount_points() -> list[Path]:
    """What fstab mounts, the longest path first."""
    try:
        text = FSTAB.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    fields = [line.split() for line in text.splitlines()]
    points = [
        Path(_unescaped(field[1]))
        for field in fields
        if len(field) >= 2 and not field[0].startswith("#") and field[1][0] == "/"
    ]
    return sorted(points, key=lambda point: len(point.parts), reverse=True)


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _unit(root: RootSettings) -> Iterator[Finding]:
    """Whether the installed unit may write to the root, and waits for its mount."""
    if not unit.installed():
        return
    for key, what in (
        ("ReadWritePaths", "the service may not write there"),
        ("RequiresMountsFor", "the service may start before its disk is mounted"),
    ):
        if not unit.covers(key, root.path):
            level = error if key == "ReadWritePaths" else warning
            yield level(
                f"no {key}= of {unit.NAME} covers footage root {root.name}: {what}",
                f"write {key}={root.path} into {unit.DROP_IN}, then systemctl "
                "daemon-reload and restart the service",
            )
