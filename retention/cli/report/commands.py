"""`retention report`: what auditors, courts and the public ask, answered from the log."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from retention.cli.base import Session, group, with_session
from retention.cli.display import note, put, safe, telling, working
from retention.cli.report import certifying
from retention.cli.report.text import rebuilt_text, report_text
from retention.model.answers.report import FiguresRebuilt, Report, ReportOpened
from retention.model.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from retention.reports.by_name import CopiedReports

_F = TypeVar("_F", bound=Callable[..., Any])


@group("report")
def report() -> None:
    """What auditors, courts and the public ask: summary | deletions | holds | compliance |
    coverage | exceptions | seizures | access | foi | certificate | rebuild.

    \b
    Example:
      retention report deletions --from 2026-10-24 --to 2026-10-25
      retention report deletions --camera 1101 --csv --table by_footage
      retention report deletions --dir /media/usb/log --key FINGERPRINT

    A report rests on the signed entries of the audit log alone, and says which head that
    is. With --dir DIR it is the same from a published copy, and needs neither the service
    nor a configuration.
    """


@dataclass(frozen=True)
class Form:
    """In which form a report is wanted."""

    csv: bool
    markdown: bool
    table: str | None
    html: Path | None
    pdf: Path | None
    explain: bool


_ASKED = (
    click.option("--from", "since", metavar="DAY", help="From this day or instant on."),
    click.option("--to", "until", metavar="DAY", help="Before this day or instant."),
    click.option("--on", metavar="DAY", help="On this one day, instead."),
    click.option("--camera", metavar="ID", help="Of the camera that had this id then."),
    click.option("--location", metavar="WORDS", help="Of cameras with this location."),
    click.option("--controller", metavar="NAME", help="Of cameras of this controller."),
)
_FORMS = (
    click.option("--csv", "as_csv", is_flag=True, help="Print one table as CSV."),
    click.option("--markdown", is_flag=True, help="Print it as Markdown."),
    click.option(
        "--table", metavar="NAME", help="Only this table; of CSV, else the first."
    ),
    click.option(
        "--html",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write it as a page to this file.",
    ),
    click.option(
        "--pdf",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write it as PDF to this file: 1,000 rows at most.",
    ),
    click.option(
        "--explain", is_flag=True, help="Name the entries behind each number."
    ),
)
_COPY = (
    click.option(
        "--dir",
        "directory",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="From this published copy of the log, without the service.",
    ),
    click.option(
        "--key",
        metavar="KEY",
        help="With --dir: the key that it must be signed with, as `audit verify` takes "
        "it; else the one that it names.",
    ),
)


def _copy_options(function: _F) -> _F:
    return _with(_COPY, function)


def _with(options: tuple[Callable[[_F], _F], ...], function: _F) -> _F:
    for option in reversed(options):
        function = option(function)
    return function


def reporting(function: _F) -> _F:
    """The options of every report.  The command is given what to ask, and returns the
    report's own options; asking and printing is done here."""
    name = function.__name__

    @wraps(function)
    def made(session: Session, **given: Any) -> int:
        form = Form(
            *(
                given.pop(one)
                for one in ("as_csv", "markdown", "table", "html", "pdf", "explain")
            )
        )
        _refuse_unheard(form, as_json=session.as_json)
        directory, key = given.pop("directory"), given.pop("key")
        request = _request(given)
        options = function(session, **given)
        proofs = options.pop("proofs", None)
        found = ask(session, name, directory, key, request, options)
        show(session, found, form)
        if proofs is not None:
            certifying.prove(session, found, directory, proofs)
        return certifying.status(found)

    wrapped = _with((*_ASKED, *_FORMS, *_COPY), cast("_F", made))
    return cast("_F", with_session(wrapped))


def _refuse_unheard(form: Form, *, as_json: bool) -> None:
    """UsageError where one of the options would be passed over in silence."""
    printed = {"--csv": form.csv, "--markdown": form.markdown, "--json": as_json}
    asked = [name for name, given in printed.items() if given]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)}: it is printed in one form at a time")
    if form.explain and (form.markdown or form.pdf is not None):
        raise UsageError(
            "--explain is for the terminal, --csv and --html (--json has the entries in "
            "any case)"
        )
    files = form.html is not None or form.pdf is not None
    if form.table is not None and not form.csv and (files or asked):
        raise UsageError("--table is for the terminal and --csv: all else is whole")


def _request(given: dict[str, Any]) -> dict[str, str]:
    """What is asked, without what was not given."""
    names = ("since", "until", "on", "camera", "location", "controller")
    found = {name: given.pop(name) for name in names}
    return {name: text for name, text in found.items() if text is not None}


def ask(
    session: Session,
    name: str,
    directory: Path | None,
    key: str | None,
    request: dict[str, str],
    options: dict[str, Any],
) -> Report:
    """The report, of the service or of a published copy."""
    opened = options.pop("opened", False)
    if directory is None:
        if key is not None:
            raise UsageError("--key is for a published copy: name it with --dir")
        if opened:
            return _opened(session, name, request)
        with working("adding up the log"):
            return session.ask(f"report.{name}", Report, **request, **options)
    if opened:
        raise UsageError(
            "--open needs the service: what opens people's details is never published, so "
            "no copy has it"
        )
    from retention.reports.evidence import ReportRequest

    with telling() as tell:
        found = copied(directory, key, tell).report(
            name, ReportRequest(**request), **options
        )
    if not session.as_json:
        note(
            f"Note: these are the entries that the head in {directory} signs. Whether the "
            "log was ever written anew, `retention audit verify` tells by a checkpoint that "
            "you kept (--since)."
        )
    return found


def _opened(session: Session, name: str, request: dict[str, str]) -> Report:
    with working("adding up the log"):
        found = session.ask(f"report.{name}_open", ReportOpened, **request)
    if not session.as_json:
        note(
            f"Note: that you were shown these details is on record as entry {found.entry}."
        )
    if found.not_published is not None:
        note(f"Note: {safe(found.not_published)}.")
    return found.report


def copied(
    directory: Path, key: str | None, tell: Callable[[str], object]
) -> CopiedReports:
    """The reports of a published copy."""
    from retention.reports.by_name import CopiedReports
    from retention.site.clock import read

    return CopiedReports(directory, key, _cache(tell), read().wall, tell)


def _cache(tell: Callable[[str], object]) -> Path:
    """Where what a copy adds up to is kept; for an account without a home, or whose home
    can't be written, until this command ends."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = Path(home, "cctv-retention")
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK | os.X_OK):
            return cache
    tell(f"{cache} can't be written: it is added up anew each time")
    made = TemporaryDirectory(prefix="cctv-retention-")
    return Path(click.get_current_context().with_resource(made))


def show(session: Session, found: Report, form: Form) -> None:
    """Print it in the form wanted, or write it to files."""
    if form.html is not None:
        from retention.reports.forms.html import html_of

        _write(form.html, html_of(found, explain=form.explain).encode())
    if form.pdf is not None:
        from retention.reports.forms.pdf import pdf_of

        _write(form.pdf, pdf_of(found))
    if form.csv:
        from retention.reports.forms.csv_ import csv_of

        put(csv_of(found, form.table, explain=form.explain).removesuffix("\n"))
    elif form.markdown:
        from retention.reports.forms.markdown import markdown_of

        put(markdown_of(found).removesuffix("\n"))
    elif session.as_json or (form.html is None and form.pdf is None):
        session.answer(found, report_text(form.table, form.explain), found.zone)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    note(f"Written: {path}")


@report.command("summary")
@reporting
def summary(session: Session) -> dict[str, Any]:
    """All of it at a glance: lawful and intact or not, what is overdue or was lost, what
    was deleted and how late, holds, alarms, coverage. As a page it has the pictures.

    \b
    Example:
      retention report summary --from 2026-10-01 --to 2026-11-01 --html october.html
    """
    return {}


@report.command("deletions")
@reporting
@click.option("--files", is_flag=True, help="With a row for each file, up to 10,000.")
def deletions(session: Session, *, files: bool) -> dict[str, Any]:
    """What was deleted: by day of deletion and of footage, by camera, why, and how late.

    \b
    Example:
      retention report deletions --from 2026-10-01 --to 2026-11-01
      retention report deletions --on 2026-10-24 --camera 1101 --files
      retention report deletions --csv --table by_camera > deletions.csv
    """
    return {"files": files} if files else {}


@report.command("holds")
@reporting
@click.option(
    "--open",
    "opened",
    is_flag=True,
    help="With names, references and reasons; this is put on record. Not with --dir.",
)
def holds(session: Session, *, opened: bool) -> dict[str, Any]:
    """The register of evidence holds: who placed, reviewed, released and approved, whose
    review is overdue, what each came too late for, and what it lost.

    \b
    Example:
      retention report holds
      retention report holds --camera 1101 --from 2026-10-01
      retention report holds --csv --table acts
      retention report holds --camera 1101 --open
    """
    return {"opened": True} if opened else {}


@report.command("compliance")
@reporting
def compliance(session: Session) -> dict[str, Any]:
    """Whether footage was deleted in time: day by day, how old the oldest grew, what was
    overdue and for how long, which guards stopped deletion, and by which policy.

    \b
    Example:
      retention report compliance --from 2026-10-01 --to 2026-11-01
      retention report compliance --csv --table days
    """
    return {}


@report.command("coverage")
@reporting
@click.option(
    "--hours", is_flag=True, help="With what each hour of a camera is, up to 10,000."
)
def coverage(session: Session, *, hours: bool) -> dict[str, Any]:
    """Of how much of each day there was footage of each camera, as a number; and what
    each hour is: present, held, deleted, lost, no recording seen, not known, not ours.

    \b
    Example:
      retention report coverage --from 2026-10-01 --to 2026-11-01
      retention report coverage --on 2026-10-24 --camera 1101 --hours
      retention report coverage --on 2026-10-24 --csv --table cells
    """
    return {"hours": hours} if hours else {}


@report.command("exceptions")
@reporting
def exceptions(session: Session) -> dict[str, Any]:
    """What went otherwise than it should: lost, late, moved, in doubt, not deleted; and
    alarms, with how long they stood.

    \b
    Example:
      retention report exceptions --from 2026-10-01 --to 2026-11-01
      retention report exceptions --camera 1101 --csv --table recordings
    """
    return {}


@report.command("seizures")
@reporting
def seizures(session: Session) -> dict[str, Any]:
    """Who asked for footage to be kept, how it is kept, and what became of it.

    \b
    Example:
      retention report seizures --from 2026-01-01 --to 2027-01-01
    """
    return {}


@report.command("access")
@reporting
def access(session: Session) -> dict[str, Any]:
    """Who did what and how often, who was refused, and when the members of roles changed.

    \b
    Example:
      retention report access --from 2026-10-01 --to 2026-11-01
      retention report access --csv --table denied
    """
    return {}


@report.command("foi")
@reporting
@click.option(
    "--suppress", is_flag=True, help="Numbers of holds below 5 are not shown."
)
def foi(session: Session, *, suppress: bool) -> dict[str, Any]:
    """What is asked under the Freedom of Information Act, each figure with who can check
    it: how many cameras and where, watched and recorded when, how long footage is kept
    and what happens then, who asks for it.

    \b
    Example:
      retention report foi --from 2026-01-01 --to 2027-01-01
      retention report foi --from 2026-01-01 --to 2027-01-01 --suppress --markdown
      retention report foi --dir /srv/www/cctv-log --key FINGERPRINT

    Of a public copy (`audit copy --public`) it says what anyone can recompute.
    """
    return {"suppress": suppress} if suppress else {}


@report.command("certificate")
@reporting
@click.option(
    "--requested-on",
    metavar="DAY",
    help="The day on which somebody asked for it: was fixed before what was due when?",
)
@click.option(
    "--proofs",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a proof of each recording that is gone to this new directory.",
)
def certificate(
    session: Session, *, requested_on: str | None, proofs: Path | None
) -> dict[str, Any]:
    """What became of the footage of a camera in a time: a certificate of disposal, or of
    existence.

    Each recording that the log names, with when it was due by which policy, when and how
    it was deleted, how late, and its entry and row; and each stretch of the time: deleted,
    held, present, lost, no recording seen, not ours, or not known. Whoever has the log's
    key checks each proof with `retention audit verify FILE --key KEY`, offline.

    \b
    Example:
      retention report certificate --camera 1101 --on 2026-10-24 --pdf certificate.pdf
      retention report certificate --camera 1101 --from "2026-10-24 21:00" \\
          --to "2026-10-24 23:30" --requested-on 2026-12-01 --proofs proofs/

    Exit status 0: all of it is answered, and none is there any more; 7: of some of it is
    not known what became of it; 8: some of it is held, or was present when last spoken of.
    """
    if proofs is not None and proofs.exists():
        raise UsageError(f"{proofs} is there already: choose another name")
    given = {"requested_on": requested_on, "proofs": proofs}
    return {name: one for name, one in given.items() if one is not None}


@report.command("rebuild")
@_copy_options
@with_session
def rebuild(session: Session, directory: Path | None, key: str | None) -> int:
    """Add up the whole log anew, and check it against what its entries say.

    The figures that reports go by are derived from the log and kept beside the catalogue,
    or for a published copy in your cache directory. They are made anew by themselves where
    they are damaged or of another log.

    \b
    Example:
      retention report rebuild
      retention report rebuild --dir /media/usb/log

    Exit status 5: an entry is not what it says.
    """
    if directory is None:
        with working("adding up the log"):
            found = session.ask("report.rebuild", FiguresRebuilt)
        session.answer(found, rebuilt_text)
    else:
        with telling() as tell:
            found = copied(directory, key, tell).rebuild()
        session.answer(found, rebuilt_text, "UTC")
    return VerificationError.exit_status if found.faults else 0
