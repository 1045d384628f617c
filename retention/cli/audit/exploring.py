"""`retention audit explorer`: pages with which a browser checks and searches a log."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from retention.cli.base import Session, with_session
from retention.cli.display import good, safe
from retention.model.answers.proof import ExplorerWritten


@click.command("explorer")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@with_session
def explorer(session: Session, directory: Path) -> None:
    """Pages beside a published log, with which a browser checks and searches it.

    They go into DIR/explorer; DIR is a published log, a copy or an extract of one, or an
    empty directory: its pages open any log that is picked. Whoever opens index.html gives
    the log's key from paper, and sees entries by camera and hour, hold, kind and day, each
    proven in her own browser; what was changed is refused. Served over http they read the
    log as far as it is needed; from a stick, where pages may not, she picks the directory.
    Nothing comes from elsewhere, and nothing is sent anywhere.

    \b
    Example:
      retention audit explorer /media/usb/log
      python3 -m http.server --directory /srv/www/log

    Serve it by https (but on the machine itself: browsers check signatures only on pages
    that came safely), and with the header

    \b
      Content-Security-Policy: default-src 'none'; script-src 'self';
        style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';
        form-action 'none'; frame-ancestors 'none'
    """
    from retention.publication import explorer as pages

    done = pages.write(directory)
    answer = ExplorerWritten(str(done.page), done.written, done.there)
    alone = all(one.name == done.page.parent.name for one in directory.iterdir())
    session.answer(answer, partial(_written, alone=alone), "UTC")


def _written(answer: ExplorerWritten, zone: str, *, alone: bool) -> str:
    files = answer.written + answer.there
    pick = ", pick a log there (none lies beside these pages)" if alone else ""
    return good(
        f"{files} files are there ({answer.written} written). Open {safe(answer.page)} "
        f"in a browser{pick}, and give it the log's key from paper."
    )
