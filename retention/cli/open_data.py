"""`retention camera publish | reconcile`: the list of cameras for the public, made and
compared."""

from __future__ import annotations

import shlex
from itertools import groupby
from pathlib import Path

import click

from retention.cli.base import Session, with_session
from retention.cli.display import counted, good, note, number, put, safe
from retention.model import codec
from retention.model.answers.camera import (
    CameraDiffers,
    CameraLeftOut,
    CamerasPublished,
    ListReconciled,
)
from retention.model.errors import UsageError
from retention.register.files import packed, write_new, write_over

NEEDS_A_PERSON = 8

NAMED = 5
"""Cameras of one kind that a line names."""


@click.command("publish")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "geojson"]),
    default="csv",
    show_default=True,
    help="CSV with its metadata (CSVW) beside it, or GeoJSON.",
)
@click.option("--controller", metavar="NAME", help="The cameras of this one alone.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, readable=False),
    help="Write it there, and the metadata to FILE-metadata.json; else print it.",
)
@click.option(
    "--replace", is_flag=True, help="Also where these files are there already."
)
@with_session
def publish(
    session: Session,
    format_: str,
    controller: str | None,
    out: str | None,
    replace: bool,
) -> None:
    """The list of cameras for the public, under the Open Government Licence v3.0.

    How much of each camera it has is said by `published` in the register: full, number
    (without its place), no. The same register gives the same bytes. Nothing is changed and
    nothing is sent anywhere: put the files where the list is published.

    \b
    Example:
      retention camera publish --out cctv-cameras.csv
      retention camera publish --format geojson --out cctv-cameras.geojson --replace
      retention camera publish --controller "Oadby and Wigston Borough Council"
    """
    beside = f"{out}-metadata.json" if out and format_ == "csv" else None
    for path in (out, beside):
        if path is not None and not replace and Path(path).exists():
            raise UsageError(
                f"{path} is there already: choose another name, or say --replace"
            )
    named = None if out is None else Path(out).name
    found = session.ask(
        "camera.publish",
        CamerasPublished,
        format=format_,
        controller=controller,
        file=named,
    )
    write = write_over if replace else write_new
    for path, text in ((out, found.text), (beside, found.metadata)):
        if path is not None and text is not None:
            write(path, text)
    if session.as_json:
        shown = codec.to_json(found)
        session.answer(shown if out is None else _wrote(shown, out, beside), _nothing)
        return
    remarks = [f"Note: {line}." for line in _remarks(found)]
    if out is not None:
        put("\n".join([_written(found, out, beside), *remarks]))
        return
    put(found.text.removesuffix("\n"))
    for line in remarks:
        note(line)


def _nothing(_: object, __: str) -> str:
    return ""


def _wrote(shown: dict[str, object], out: str, beside: str | None) -> dict[str, object]:
    rest = {
        name: said for name, said in shown.items() if name not in ("text", "metadata")
    }
    return {**rest, "wrote": [out, *([beside] if beside else [])]}


def _written(found: CamerasPublished, out: str, beside: str | None) -> str:
    means = f"; what its columns mean is in {safe(beside)}" if beside else ""
    return f"{counted(found.cameras, 'camera')} in {safe(out)}{means}."


def _remarks(found: CamerasPublished) -> list[str]:
    """What somebody should know before the list goes out."""
    lines = []
    if found.withheld:
        lines.append(f"{found.withheld} by their number alone, without their place")
    if found.on_grid:
        lines.append(
            f"the degrees of {found.on_grid} come from the national grid, right to about "
            "5 m"
        )
    if found.unknown:
        lines.append(f"the place of {found.unknown} is not known")
    for why in dict.fromkeys(one.why for one in found.left_out):
        lines.append(_left_out(why, [one for one in found.left_out if one.why == why]))
    return lines


def _left_out(why: str, those: list[CameraLeftOut]) -> str:
    names = ", ".join(safe(one.id) for one in those[:NAMED])
    more = f" and {len(those) - NAMED} more" if len(those) > NAMED else ""
    what = {
        "unlisted": "missing from the list that was imported last; `retention camera "
        f"amend {safe(those[0].id)} --published ...` puts one back, `camera retire` says "
        "that it is out of use",
    }.get(why, why)
    return f"not in it: {names}{more}, {what}"


@click.command("reconcile")
@click.argument("file", type=click.Path(dir_okay=False, readable=False), metavar="FILE")
@click.option(
    "--columns",
    metavar="WHAT=COLUMN,...",
    help="Which column is what, where its name is not a usual one.",
)
@click.option(
    "--controller", metavar="NAME", help="The list is that of this one alone."
)
@with_session
def reconcile(
    session: Session, file: str, columns: str | None, controller: str | None
) -> int:
    """Hold a published list (CSV or GeoJSON) against the register and what is on disk.

    Says which cameras are only published, only registered or only seen, and which are
    published otherwise than registered, each with what to do. Changes nothing.

    \b
    Example:
      retention camera reconcile cameras-2026-06.csv
      retention camera reconcile list.csv --columns id=ref,location=site --json

    Exit status 8: something differs.
    """
    answer = session.ask(
        "camera.reconcile",
        ListReconciled,
        **packed(file),
        columns=columns,
        controller=controller,
    )
    session.answer(answer, _reconciled)
    return NEEDS_A_PERSON if answer.differing else 0


_FINDINGS = {
    "published only": "Only published",
    "registered only": "Only registered",
    "seen only": "Only on disk",
    "published and seen": "Published and on disk, not registered",
    "registered and seen": "Registered and on disk, not published",
    "not seen": "Not on disk",
    "differs": "Published otherwise than registered",
    "published too much": "More is published than is to be",
    "out of use": "Published, and out of use",
    "not ours": "On disk, and not the council's",
}


def _reconciled(answer: ListReconciled, zone: str) -> str:
    counts = (
        f"{number(answer.published)} published, {number(answer.registered)} registered, "
        f"{number(answer.seen)} on disk"
    )
    notes = [f"Note: {safe(text)}." for text in answer.notes]
    if not answer.differing:
        return "\n".join([good(f"{counts}: all agree."), *notes])
    lines = [f"{counts}; {number(answer.agreeing)} agree in all."]
    order = list(_FINDINGS)
    found = sorted(answer.differing, key=lambda one: order.index(one.finding))
    for finding, group in groupby(found, key=lambda one: one.finding):
        lines += ["", *_section(_FINDINGS[finding], list(group))]
    return "\n".join([*lines, *[""][: len(notes)], *notes])


def _section(title: str, those: list[CameraDiffers]) -> list[str]:
    """What is to be done is said once where it is the same but for the id."""
    each = {one.do.replace(f" {shlex.quote(one.id)}", " ID") for one in those}
    once = len(those) > 1 and len(each) == 1
    lines = [f"{title}: {number(len(those))}"]
    for one in those:
        lines.append(f"  {safe(one.id)}  {safe(one.location)}: {safe(one.detail)}.")
        lines += [] if once else [f"      {_sentence(one.do)}."]
    return [*lines, *(f"      Each: {safe(do)}." for do in each if once)]


def _sentence(text: str) -> str:
    return safe(text[:1].upper() + text[1:])
