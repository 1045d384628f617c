"""`retention camera publish | reconcile`: the list of cameras for the public, made and
compared."""

from __future__ import annotations

from pathlib import Path

import click

from retention.cli.base import Session, with_session
from retention.cli.display import counted, note, put, safe
from retention.model import codec
from retention.model.answers.camera import CameraLeftOut, CamerasPublished
from retention.model.errors import UsageError
from retention.register.files import write_new, write_over

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

    What of each camera is in it says `published` in the register: full, number (without
    its place), no. The same register gives the same bytes. Nothing is changed and
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
