"""What a person sees: plain aligned tables, local times, readable sizes; or JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from retention.model.errors import RetentionError
from retention.model.localtime import (
    WRITTEN,
    format_duration,
    format_size,
    instant_of,
    localised,
)
from retention.model.localtime import counted as counted
from retention.model.values import SECOND

LONG = 2.0
"""Seconds after which a person is told what is going on."""

ERASE = "\r\x1b[K"
RIGHT = frozenset("0123456789")


def put(text: str) -> None:
    """Print to standard output; a reader that has seen enough (`| head`) is no error.

    Raises RetentionError where the answer can't be written: the command was done.
    """
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        why = (error.strerror or str(error)).lower()
        raise RetentionError(
            f"the answer can't be written ({why}), but what was asked was done"
        ) from error


def put_json(answer: Any) -> None:
    """Print a verb's answer as it is."""
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    put(text.encode(errors="backslashreplace").decode())  # half a character: \\ud800


def note(text: str) -> None:
    """Say something to the person that is not the answer: on standard error."""
    click.echo(text, err=True)


def on_terminal() -> bool:
    """Whether a person types and reads: both sides are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def alarm(text: str) -> str:
    """Red where the terminal shows colour."""
    return click.style(text, fg="red", bold=True)


def good(text: str) -> str:
    """Green where the terminal shows colour."""
    return click.style(text, fg="green")


def colour_wanted() -> bool | None:
    """False where NO_COLOR or a dumb terminal says so, else None: if a terminal."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return False if plain else None


def instant(text: str | None) -> int | None:
    """An answer's UTC text as microseconds."""
    return None if text is None else instant_of(text)


def local(text: str | None, zone: str, missing: str = "-") -> str:
    """An answer's UTC text in the site's zone, with weekday and offset, to the second;
    what is none stays as it is."""
    return missing if text is None else localised(safe(text), zone)


def sentence(text: str, zone: str) -> str:
    """A sentence of an answer, made safe, its UTC instants in the site's zone."""
    return localised(safe(text), zone).rstrip(".")


def clock_in_doubt(why: str | None) -> Iterator[str]:
    """That an answer rests on a clock that is not believed."""
    if why is not None:
        yield alarm(
            f"The clock is in doubt: {safe(why)}. What is said here of what is past, due "
            "or still to come goes by it; check the dates against another clock."
        )


def length(seconds: float | None) -> str:
    """An answer's seconds as a person says them."""
    return "-" if seconds is None else format_duration(round(seconds * SECOND))


def size(count: int | None) -> str:
    """An answer's bytes as a person says them."""
    return "-" if count is None else format_size(count)


def number(count: float) -> str:
    """A count with thousands apart."""
    return f"{count:,}"


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Aligned columns, two spaces apart; columns of numbers to the right.

    Control characters are shown, not sent to the terminal: paths and names in the
    catalogue come from recorders.
    """
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [
        max(len(row[column]) for row in [list(headings), *cells])
        for column in range(len(headings))
    ]
    right = [
        bool(cells) and all(_is_number(row[column]) for row in cells)
        for column in range(len(headings))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in [list(headings), *cells]
    )


def fitted_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table whose lines are cut to a terminal's width; whole in a pipe."""
    text = table(headings, rows)
    if not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, 80)
    return "\n".join(
        line if len(line) <= width else f"{line[: width - 3]}..."
        for line in text.splitlines()
    )


def _is_number(cell: str) -> bool:
    return cell == "-" or (cell[:1] in RIGHT and cell.replace(",", "").isdigit())


def pairs(values: Iterable[tuple[str, Any]]) -> str:
    """One thing's facts, name before value, the names aligned."""
    shown = [(name, safe(value)) for name, value in values]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in shown)


def value_text(value: Any, zone: str) -> str:
    """A field of unknown meaning: instants become local, the rest plain."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and WRITTEN.fullmatch(value):
        return localised(value, zone)
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def safe(value: Any) -> str:
    """Text that can't move the cursor or end a line."""
    text = "-" if value is None else str(value)
    return "".join(part if part.isprintable() else ascii(part)[1:-1] for part in text)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say what takes its time, on a terminal only, and take it back when done."""
    with telling() as tell:
        tell(what)
        yield


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """A line of progress on standard error, where that is a terminal and it takes long."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    last, late = "", threading.Event()

    def show() -> None:
        late.set()
        if last:
            tell(last)

    def tell(text: str) -> None:
        nonlocal last
        last = text
        if late.is_set():
            click.echo(f"{ERASE}{safe(text)} ...", err=True, nl=False)

    timer = threading.Timer(LONG, show)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()
        if late.is_set():
            click.echo(ERASE, err=True, nl=False)
