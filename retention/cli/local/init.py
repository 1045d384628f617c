"""`retention init`: everything that the service needs before its first start.

The order, and what a crash after each step leaves; the next run goes on there:

1. state directory, closed to others         [an empty directory]
2. catalogue with its uuid and log id         [a catalogue without a log: no start]
3. signing key, durable under its name        [a key that no log names yet: used]
4. `log.opened` with the public key           [an installation without roots]
5. roots, cameras, first policy, reserve, spool   [what is missing is made]

Nothing that exists is ever overwritten.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shlex
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.catalogue import cameras, db
from retention.catalogue import log as audit
from retention.catalogue.db import Catalogue, Priority, get_meta, put_fact
from retention.cli.local import spool_directory
from retention.control import clock_guard, described, periods
from retention.control.context import Context
from retention.footage import kept_head
from retention.footage.roots_of_site import register_roots
from retention.model.errors import (
    CatalogueError,
    RetentionError,
    SettingsError,
    put_back,
)
from retention.publication import compare, log_key
from retention.publication.publisher import BESIDE_KEY
from retention.register.files import packed
from retention.register.register import camera_import
from retention.site import clock, unit
from retention.site.caller import SERVICE_USER, caller
from retention.site.instance import exclusive
from retention.site.reserve import Reserve
from retention.tlog.canonical import base64url

if TYPE_CHECKING:
    from retention.site.settings import Settings


def initialise(settings: Settings) -> dict[str, Any]:
    """Make what is missing of an installation; the answer says what is to be typed next.

    `unfinished` lists what could not be done yet, with the reason: mend it and run init
    again.  Raises RetentionError where nothing can be built on.
    """
    state = settings.state_directory
    _make_directory(state)
    with exclusive(state, "init"), _given_to_owner(state):
        catalogue = _catalogue(settings)
        try:
            with catalogue.read() as tx:
                meta = get_meta(tx)
                opened = audit.size(tx) > 0
            # Nothing is appended to an old backup: that would fork its log.
            if (
                opened
                and (
                    why := compare.obstacle(
                        catalogue, settings, partial(kept_head.in_roots, settings.root)
                    )
                )
                is not None
            ):
                raise CatalogueError(f"{state / db.NAME}: {why}")
            public_key = _public_key(catalogue, state, opened=opened)
            context = _context(settings, catalogue)
            if not opened:
                _open_log(context, meta["log_id"], public_key)
            name = compare.check_origin(catalogue, settings)
            done, unfinished = _fill(context)
        finally:
            catalogue.close()
    return {
        "state_directory": str(state),
        "catalogue": meta["uuid"],
        "log_id": meta["log_id"],
        "log_origin": name,
        "public_key": base64url(public_key),
        **done,
        "unfinished": unfinished,
        **_advice(settings),
    }


def _make_directory(state: Path) -> None:
    """Closed to others from its first instant; the service's, where root makes it."""
    try:
        os.mkdir(state, 0o700)
        if os.geteuid() == 0 and (owner := _service_user()) is not None:
            os.chown(state, owner.pw_uid, owner.pw_gid)
    except FileExistsError:
        found = os.lstat(state)
        if not stat.S_ISDIR(found.st_mode):
            raise SettingsError(
                f"state_directory {state} is not a directory: name one that is, or is "
                "still to be made"
            ) from None
        if found.st_mode & 0o077 and os.geteuid() in (0, found.st_uid):
            os.chmod(state, 0o700)
    except OSError as error:
        raise SettingsError(
            f"state_directory {state} can't be made ({error.strerror}): make it for the "
            f"service's user, `install -d -m 0700 -o {SERVICE_USER} -g {SERVICE_USER} "
            f"{state}`"
        ) from error


def _service_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None


@contextmanager
def _given_to_owner(state: Path) -> Iterator[None]:
    """What root makes here would keep the service's own user out for good."""
    try:
        yield
    finally:
        owner = os.stat(state)
        if os.geteuid() == 0:
            for found in os.scandir(state):
                if found.is_file(follow_symlinks=False):
                    os.chown(
                        found.path, owner.st_uid, owner.st_gid, follow_symlinks=False
                    )


def _catalogue(settings: Settings) -> Catalogue:
    """The catalogue, made if there is none yet; a site's own for each site."""
    path = settings.state_directory / db.NAME
    try:
        catalogue = db.open_(path)
    except CatalogueError as error:
        return _new_catalogue(path, settings.site, error)
    with catalogue.read() as tx:
        site = get_meta(tx)["site"]
    if site != settings.site:
        catalogue.close()
        raise SettingsError(
            f"{path} is the catalogue of site {site}, not {settings.site}: give this "
            "site a state_directory of its own"
        )
    return catalogue


def _new_catalogue(path: Path, site: str, error: CatalogueError) -> Catalogue:
    """A new one where there is none, or only the beginning of one.

    The key is made after the catalogue, and the first head is signed after both: where
    there is either, a catalogue was lost.
    """
    for later in (log_key.NAME, BESIDE_KEY):
        if (path.parent / later).exists():
            raise CatalogueError(
                f"{path} is missing or empty, but {later} beside it says that this is "
                f"no new installation: {put_back()}"
            ) from error
    facts = {"uuid": str(uuid.uuid4()), "site": site, "log_id": secrets.token_hex(16)}
    try:
        return db.create(path, facts)
    except CatalogueError:
        raise error from None  # not empty: that is what is wrong with it


def _public_key(catalogue: Catalogue, state: Path, *, opened: bool) -> bytes:
    """The public half of the signing key: the one that the log names, or a new one for
    a new log.  Nothing here signs: a credential, which only the service sees, will do.
    """
    if not opened:
        there = log_key.exists(state)
        return log_key.public(log_key.load(state) if there else log_key.make(state))
    if log_key.exists(state):
        log_key.check(log_key.load(state), catalogue)
    elif not unit.loads(log_key.NAME):
        raise CatalogueError(
            f"the signing key {state / log_key.NAME} is missing, and the audit log "
            "names its public half: put it back from where its copy is kept. A new one "
            "is not made, since it would sign another log"
        )
    return log_key.named(catalogue)


def _context(settings: Settings, catalogue: Catalogue) -> Context:
    log = audit.Log(site=settings.site)
    return Context(settings, catalogue, log, clock.read().wall, caller())


def _open_log(context: Context, log_id: str, public_key: bytes) -> None:
    """The first entry, and the first that is known of the clock."""
    reading = clock.read()._replace(wall=context.now)
    with context.write(Priority.HOLD) as tx:
        put_fact(tx, clock_guard.CLOCK_FACT, clock_guard.first_seen(reading))
        audit.open_log(
            tx,
            site=context.settings.site,
            at=context.now,
            actor=context.actor,
            log_id=log_id,
            public_key=public_key,
            timezone=context.settings.timezone,
            origin=context.settings.log_origin,
        )


def _fill(context: Context) -> tuple[dict[str, Any], list[str]]:
    """Roots, cameras, policy, reserve, spool: what is missing of them."""
    described.note(context.catalogue, context.author, context.settings)
    made, refused = register_roots(context)
    unfinished = list(refused.values())
    imported: int | None = None
    with context.catalogue.read() as tx:
        known = len(cameras.everyone(tx))
    if context.settings.cameras is not None and not known:
        try:
            list_ = packed(str(context.settings.cameras))
            answer = camera_import(context, file=list_["file"], data=list_["data"])
            imported = known = answer.cameras
        except RetentionError as error:
            unfinished.append(str(error))
    found = periods.apply(context.catalogue, context.author, context.settings)
    unfinished += [
        f'[camera."{id_}"] is no camera of the register yet, so its days are not in '
        "force: add the camera"
        for id_ in found.unknown
    ]
    reserve = Reserve(context.settings.state_directory)
    if not reserve.make():
        unfinished.append(reserve.too_little())
    spool = spool_directory.make(context.settings)
    if spool is not None:
        unfinished.append(spool)
    done = {
        "roots_made": [root.name for root in made],
        "spool": str(context.settings.spool),
        "cameras": known,
        "cameras_imported": imported,
        "days": found.effective.days,
    }
    return done, unfinished


def _advice(settings: Settings) -> dict[str, Any]:
    """What the administrator does next, ready to be copied."""
    paths = [str(root.path) for root in settings.root]
    written = " ".join(_unit_path(f"-{path}") for path in paths)
    mounts = " ".join(
        dict.fromkeys(unit.mount_unit(unit.mount_point(r.path)) for r in settings.root)
    )
    unnamed = [
        "The audit log has a name made here, which can never be changed. Witnesses, and "
        "others who watch logs, expect an address of the site without https://, such as "
        "cctv.example.gov.uk/log: it must be in the configuration (`log_origin`) before "
        "the first `retention init`.",
    ]
    one_person = [  # said on every screen of a site that does without the second
        "One person alone can release evidence here (release_requires_two_people = "
        "false): for a trial, not for footage of people."
    ]
    return {
        "next": _next_lines(),
        "drop_in_file": unit.DROP_IN,
        "drop_in": [
            "[Unit]",
            f"Wants={mounts}",
            f"After={mounts}",
            "[Service]",
            f"ReadWritePaths={written}",
        ],
        "rights": [rights(path) for path in paths],
        "notes": [
            "Nothing is deleted yet: the first scan of a root makes a plan of what is "
            "due in it, and a supervisor approves that with `retention deletion "
            "approve`.",
            "Place the evidence holds that you already have before that: `retention "
            "hold place`, which asks the running service.",
            *([] if settings.log_origin else unnamed),
            *([] if settings.retention.release_requires_two_people else one_person),
        ],
    }


def _next_lines() -> list[str]:
    """Three lines to type; on a laptop there is neither a service nor its user."""
    place = "retention hold place"
    if caller().name not in ("root", SERVICE_USER):
        return ["retention check", "retention run", place]
    return [
        f"sudo -u {SERVICE_USER} retention check",
        "systemctl enable --now cctv-retention",
        place,
    ]


def rights(path: str) -> str:
    """The command that lets whoever runs this delete below `path`, for root the service,
    now and in directories that are made later.  Deleting needs rights on directories
    only, not on files."""
    me = caller()
    user = shlex.quote(SERVICE_USER if me.uid == 0 else me.name or str(me.uid))
    entries = f"u:{user}:rwx,d:u:{user}:rwx"
    return f"find {shlex.quote(path)} -xdev -type d -exec setfacl -m {entries} {{}} +"


def _unit_path(path: str) -> str:
    """A path as a unit file wants it."""
    text = path.replace("%", "%%").replace("\\", "\\\\")
    return f'"{text}"' if any(c.isspace() or c in "\"'" for c in text) else text


def describe(answer: dict[str, Any]) -> str:
    """The answer for people."""
    roots = ", ".join(answer["roots_made"])
    lines = [
        f"state directory   {answer['state_directory']}",
        f"catalogue         {answer['catalogue']}",
        f"audit log         {answer['log_origin']}, its name for good",
        f"                  public key {answer['public_key']}",
        f"footage roots     {f'taken in: {roots}' if roots else 'none taken in now'}",
        f"cameras           {answer['cameras']}",
        f"retention period  {answer['days']} day{'s' if answer['days'] != 1 else ''}",
    ]
    if answer["unfinished"]:
        lines += ["", "Not done yet; mend this and run `retention init` again:"]
        lines += [f"  - {text}" for text in answer["unfinished"]]
    lines += ["", f"Let the service write to the footage, in {answer['drop_in_file']}:"]
    lines += [f"    {line}" for line in answer["drop_in"]]
    lines += ["", "and let it delete there (as root):"]
    lines += [f"    {line}" for line in answer["rights"]]
    lines += ["", *answer["notes"], "", "Next:"]
    lines += [f"    {line}" for line in answer["next"]]
    return "\n".join(lines)
