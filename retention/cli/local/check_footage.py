"""What stands in the way of deleting below a footage root: mounts, rights, sticky bits.

Looks only; what it says is as true as the moment of looking.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.cli.local.finding import Finding, Progress, error, warning
from retention.cli.local.init import rights
from retention.model.layouts.presets import is_excluded, preset_or_template
from retention.site import unit

if TYPE_CHECKING:
    from retention.site.settings import RootSettings

FSTAB = Path("/etc/fstab")

_EVERY = 1_000  # directories between two words of progress


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


class _Trouble(NamedTuple):
    """A kind of trouble met in the walk; `remedy` is for all of its directories."""

    what: str
    remedy: str


def _rights(root: RootSettings, device: int, progress: Progress) -> Iterator[Finding]:
    """Deleting a file takes write and search rights on its directory, nothing else."""
    counts: Counter[_Trouble] = Counter()
    examples: dict[_Trouble, bytes] = {}
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


def _walk(root: RootSettings, device: int) -> Iterator[tuple[bytes, _Trouble | None]]:
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

_OTHER_MOUNT = _Trouble(
    "another file system is mounted inside a footage root; nothing in it is catalogued "
    "or deleted",
    "mount it elsewhere, outside of every root, and give it a [[root]] of its own there",
)


def _unreadable(problem: OSError) -> _Trouble:
    return _Trouble(
        f"the service can't read this directory ({problem.strerror}), so what is in it "
        "is not known and stays for ever",
        "give it read, write and search rights there: `retention init` prints how",
    )


def _directory_problem(
    root: RootSettings, fd: int, here: os.stat_result
) -> _Trouble | None:
    uid = os.geteuid()
    if here.st_mode & stat.S_ISVTX and uid not in (0, here.st_uid):
        return _Trouble(
            "the sticky bit lets only a file's own user delete it",
            f"chmod -t that directory, or run the service as the user of {root.name}'s "
            "recorder",
        )
    # By the directory's own descriptor: the path may lead elsewhere by now.
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True):
        return _Trouble(
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
    for point in unit.fstab_points():
        if point != Path("/") and (root.path == point or point in root.path.parents):
            if not unit.is_mounted(point):
                yield error(
                    f"{unit.FSTAB} mounts a file system at {point}, but it is not mounted "
                    f"now, so footage root {root.name} is not the right one",
                    f"mount {point}",
                )
            return


def _unit(root: RootSettings) -> Iterator[Finding]:
    """Whether the installed unit may write to the root, and waits for its mount."""
    if not unit.installed():
        return
    if not unit.covers("ReadWritePaths", root.path):
        yield error(
            f"no ReadWritePaths= of {unit.NAME} covers footage root {root.name}: the "
            "service may not write there",
            f"write ReadWritePaths=-{root.path} into {_THERE}",
        )
    name = unit.mount_unit(unit.mount_point(root.path))
    if unit.covers("RequiresMountsFor", root.path):
        yield warning(
            f"RequiresMountsFor= of {unit.NAME} covers footage root {root.name}: where "
            "its disk is missing at boot, nothing starts, not even for other disks",
            f"replace it by Wants={name} and After={name} in {_THERE}",
        )
    elif not unit.waits_for(root.path):
        yield warning(
            f"no Wants= and After= of {unit.NAME} name {name}, so the service may start "
            f"before the disk of footage root {root.name} is mounted",
            f"write Wants={name} and After={name} into {_THERE}",
        )


_THERE = f"{unit.DROP_IN}, then systemctl daemon-reload and restart the service"
