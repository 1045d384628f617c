"""The log of this site as people ask for it: the verbs audit.list, show, find, balance,
prove, checkpoint, key and publish."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from retention.catalogue import heads, log
from retention.catalogue.entries import CatalogueSource, PagedSource
from retention.model.answers.audit import EntryList, EntryShown
from retention.model.answers.books import BookBalance, BookFindings
from retention.model.answers.proof import LogKey, LogPublished, NewestCheckpoint, Proof
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.publication.compare import verifier_of
from retention.reports import books, entries, proofs
from retention.reports.catalogue_site import CatalogueSite
from retention.reports.entries import ListRequest
from retention.site.caller import name_of
from retention.tlog.directory import Published

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context

TRIES = 3
"""What is there and what the log says are read one after the other: again where the log
grew meanwhile, but not for ever."""


class _SiteInTurn:
    """The site, each question to it a short reading of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def __getattr__(self, question: str) -> Any:
        def ask(*given: Any) -> Any:
            with self._context.catalogue.read() as tx:
                return getattr(CatalogueSite(tx, self._context), question)(*given)

        return ask


def _in_turn(context: Context) -> tuple[PagedSource, CatalogueSite]:
    """The log as far as it goes now, and the site, with no reading that is long."""
    with context.catalogue.read() as tx:
        source = PagedSource(context.catalogue, log.size(tx))
    return source, cast("CatalogueSite", _SiteInTurn(context))


def audit_list(
    context: Context,
    *,
    kind: str | None = None,
    subject: str | None = None,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before: int | None = None,
    limit: int | None = None,
    on: str | None = None,
    controller: str | None = None,
) -> EntryList:
    """Entries, newest first: see `ListRequest`."""
    asked = ListRequest(
        kind, subject, camera, since, until, before, limit, on, controller
    )
    with context.catalogue.read() as tx:
        signed = _signed(tx)
    source, site = _in_turn(context)
    answer = entries.entries(source, asked, context.moment, site.key)
    return replace(answer, entries=[_shown(one, signed) for one in answer.entries])


def _signed(tx: Connection) -> int:
    """How many entries a signed head covers."""
    newest = heads.newest(tx)
    return 0 if newest is None else newest.size


def _shown(entry: EntryShown, signed: int) -> EntryShown:
    covered = entry.signed is None and entry.number < signed
    return replace(_with_login(entry), signed=covered)


def audit_show(context: Context, *, number: int) -> EntryShown:
    """One entry with its commitments opened and all of its rows."""
    with context.catalogue.read() as tx:
        return _shown(entries.entry(CatalogueSource(tx), number), _signed(tx))


def _with_login(entry: EntryShown) -> EntryShown:
    """With the name that the login has here, where it is not the user's own."""
    actor = entry.actor
    name = None if actor["login"] == actor["uid"] else name_of(actor["login"])
    if name is None:
        return entry
    return replace(entry, actor={**actor, "login_name": name})


def audit_find(
    context: Context,
    *,
    camera: str | None = None,
    at: str | None = None,
    since: str | None = None,
    until: str | None = None,
    path: str | None = None,
    controller: str | None = None,
) -> BookFindings:
    """What became of footage: see `books.find`."""
    grew, tries = True, 0
    while grew and tries < TRIES:
        source, site = _in_turn(context)
        found = books.find(
            source, site, context.now, camera=camera, at=at, since=since, until=until,
            path=path, controller=controller,
        )  # fmt: skip
        with context.catalogue.read() as tx:
            grew, tries = log.size(tx) > source.size, tries + 1
    return found


def audit_balance(
    context: Context,
    *,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    controller: str | None = None,
) -> BookBalance:
    """Whether the books add up, as of one instant however long that takes: see
    `books.balance`."""
    with context.catalogue.read(whole=True) as tx:
        return books.balance(
            CatalogueSource(tx), CatalogueSite(tx, context), context.now,
            camera=camera, since=since, until=until, limit=limit,
            controller=controller,
        )  # fmt: skip


def audit_prove(
    context: Context,
    *,
    entry: int | None = None,
    row: int | None = None,
    camera: str | None = None,
    at: str | None = None,
    disclose: list[str] | None = None,
) -> Proof:
    """The proof of one entry, or of one row of it; or of what became of the recording of
    a camera at an instant.  It shows no other row.

    `disclose` names committed fields of the entry that the proof opens.
    """
    if (entry is None) == (camera is None) or (camera is None) != (at is None):
        raise UsageError("say what to prove: an entry, or a camera and a time")
    if disclose and (row is not None or camera is not None):
        raise UsageError("fields are disclosed of an entry alone, without a row")
    vkey = verifier_of(context.catalogue).vkey
    source, site = _in_turn(context)
    if camera is not None and at is not None:
        entry, row = proofs.camera_at(source, camera, at, context.moment, site.key)
    published = Published(context.settings.published_log)
    return proofs.prove(source, published, vkey, int(entry or 0), row, disclose or ())


def audit_key(context: Context) -> LogKey:
    """The key that the log's heads are signed with, and its fingerprint for paper."""
    return proofs.key_answer(verifier_of(context.catalogue))


def audit_checkpoint(context: Context) -> NewestCheckpoint:
    """The newest signed head, to be handed to somebody who keeps it elsewhere.

    `written` is when the last entry under it was.
    """
    with context.catalogue.read() as tx:
        newest = heads.newest(tx)
        if newest is None:
            raise RetentionError(
                "no checkpoint was signed yet: the service signs one within a minute"
            )
        last = log.read(tx, newest.size - 1)["at"]
    key = audit_key(context)
    return NewestCheckpoint(
        origin=key.origin,
        vkey=key.vkey,
        fingerprint=key.fingerprint,
        checkpoint=newest.note,
        size=newest.size,
        root=newest.frontier.root().hex(),
        written=format_utc(last),
        published=str(context.settings.published_log),
    )


def audit_publish(context: Context) -> LogPublished:
    """Publish all there is under a signed head, now, and write again what is missing.

    The publishing itself is done on the way out, as for a change of a hold.
    """
    return LogPublished(str(context.settings.published_log))
