"""`retention camera`: the register of cameras, from the published list or by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from retention.cli import open_data
from retention.cli.base import Session, group, with_session
from retention.cli.display import (
    alarm,
    counted,
    length,
    local,
    pairs,
    safe,
    size,
    table,
)
from retention.model import codec
from retention.model.answers.camera import (
    CameraAdded,
    CameraAmended,
    CameraAssigned,
    CameraDetail,
    CameraMoved,
    CameraReplaced,
    CameraRetired,
    CameraRow,
    CamerasListed,
    CamerasRenumbered,
    ListImported,
    PairsProposed,
)
from retention.model.values import PublicAs
from retention.register.files import packed, write_new

CUSTODIES = ("council", "police", "third_party")


@group("camera")
def camera() -> None:
    """The cameras: list | show | add | amend | import | publish | reconcile | renumber |
    moved | replace | assign | retire.

    \b
    Example:
      retention camera list
    """


_Options = Callable[[Callable[..., Any]], Callable[..., Any]]


def _all_of(*options: _Options) -> _Options:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return add


_what = _all_of(
    click.option("--location", help="Where it is, as published."),
    click.option("--view", help="What it looks at."),
    click.option("--kind", help="public_space, anpr ...; else public_space."),
    click.option(
        "--custody",
        type=click.Choice(CUSTODIES),
        help="Whose data it is; an anpr camera's is the police's.",
    ),
    click.option(
        "--published",
        type=click.Choice([*map(str, PublicAs)]),
        help="How much of it the public list has; of an anpr camera only its number, "
        "else all.",
    ),
    click.option("--controller", help="Whose camera it is, where not the site's own."),
)
"""What a camera is."""

_where = _all_of(
    click.option("--lon", help="Degrees east (WGS84), west is negative."),
    click.option("--lat", help="Degrees north (WGS84)."),
    click.option("--easting", help="Or metres on the British national grid."),
    click.option("--northing", help="The same, north."),
)


@camera.command("list")
@click.option("--all", "all_", is_flag=True, help="Retired ones as well.")
@click.option("--controller", metavar="NAME", help="Those of this controller alone.")
@with_session
def list_(session: Session, all_: bool, controller: str | None) -> None:
    """Every camera under today's id.

    \b
    Example:
      retention camera list
      retention camera list --all --json
      retention camera list --controller "Oadby and Wigston Borough Council"
    """
    answer = session.ask("camera.list", CamerasListed, all=all_, controller=controller)
    session.answer(answer, _cameras)


def _cameras(answer: CamerasListed, zone: str) -> str:
    cameras = answer.cameras
    several = len({one.controller for one in cameras}) > 1
    headings = ("id", "location", "kind", "custody", *["controller"][:several], "note")
    rows = [
        (
            *(one.id, one.location, one.kind, one.custody),
            *[one.controller][:several],
            _standing(one),
        )
        for one in cameras
    ]
    return f"{counted(len(cameras), 'camera')}\n{table(headings, rows)}"


NOT_IN_FULL = {"number": "place not for publication", "no": "not for publication"}


def _standing(one: CameraRow) -> str:
    words = [
        word
        for word, applies in (
            ("retired", one.retired),
            (NOT_IN_FULL.get(one.published, ""), one.published in NOT_IN_FULL),
            ("not in the published list", not one.listed),
            ("id now means another camera", not one.current),
        )
        if applies
    ]
    return ", ".join(words)


@camera.command("show")
@click.argument("id_", metavar="ID")
@with_session
def show(session: Session, id_: str) -> None:
    """One camera: where it is, its ids over time, its streams, its holds.

    \b
    Example:
      retention camera show 1001
    """
    session.answer(session.ask("camera.show", CameraDetail, id=id_), _camera)


def _camera(answer: CameraDetail, zone: str) -> str:
    parts = [pairs(_facts(answer)), _ids(answer, zone)]
    if answer.streams:
        parts.append(_streams(answer, zone))
    if answer.others:
        parts.append(
            "The same id meant other cameras:\n"
            + table(
                ("key", "location"),
                [(one.key, one.location) for one in answer.others],
            )
        )
    return "\n\n".join(parts)


PUBLISHED = {
    "full": "in full",
    "number": "its number, without its place",
    "no": "no",
}


def _facts(one: CameraDetail) -> list[tuple[str, Any]]:
    degrees = None if one.lon is None else f"{one.lat}, {one.lon}"
    metres = None if one.easting is None else f"{one.easting:g}, {one.northing:g}"
    holds = ", ".join(str(hold) for hold in one.holds)
    return [
        ("camera", one.id),
        ("location", one.location),
        ("view", one.view or None),
        ("kind", one.kind),
        ("custody", one.custody),
        ("controller", one.controller),
        ("published", PUBLISHED[one.published]),
        ("lat, lon", degrees) if metres is None else ("easting, northing", metres),
        ("note", _standing(one) or None),
        ("under hold", holds or "no"),
    ]


def _ids(answer: CameraDetail, zone: str) -> str:
    return table(
        ("id", "from", "to"),
        [
            (one.id, local(one.from_, zone), local(one.to, zone, "today"))
            for one in answer.ids
        ],
    )


def _streams(answer: CameraDetail, zone: str) -> str:
    return table(
        ("root", "recorder's name", "names of files", "zone", "longest", "times wrong"),
        [
            (
                one.root,
                one.name,
                one.layout,
                one.timezone,
                length(one.max_length),
                local(one.quarantined, zone, ""),
            )
            for one in answer.streams
        ],
    )


@camera.command("add")
@click.argument("id_", metavar="ID")
@_what
@_where
@with_session
def add(session: Session, id_: str, **given: str | None) -> None:
    """Register a camera under an id that no camera has today.

    \b
    Example:
      retention camera add 1101 --location "Market Place, clock tower" \\
          --lat 52.6353 --lon -1.1330
    """
    if given["location"] is None:
        raise click.UsageError("Missing option '--location'.")
    session.answer(session.ask("camera.add", CameraAdded, id=id_, **given), _added)


def _added(answer: CameraAdded, zone: str) -> str:
    new = answer.camera
    text = f"Camera {safe(new.id)} is registered ({safe(new.location)})."
    if answer.formerly is not None:
        old = answer.formerly
        text += (
            f"\nUntil {local(old.until, zone)} that id meant another camera "
            f"({safe(old.location)}); its footage stays its own."
        )
    return text


@camera.command("amend")
@click.argument("id_", metavar="ID")
@_what
@with_session
def amend(session: Session, id_: str, **given: str | None) -> None:
    """Correct what the register says of a camera; what is not given stays.

    Where it stands is not corrected here: `retention camera moved`.

    \b
    Example:
      retention camera amend 9001 --published no
      retention camera amend 1017 --controller "Oadby and Wigston Borough Council"
    """
    if not any(given.values()):
        raise click.UsageError("Say what is to be corrected, such as --published.")
    session.answer(
        session.ask("camera.amend", CameraAmended, id=id_, **given), _amended
    )


def _amended(answer: CameraAmended, zone: str) -> str:
    one = answer.camera
    said = [
        f"  {safe(name)}: {safe(new if new is not None else 'as the site')}"
        for name, (_, new) in answer.changes.items()
    ]
    if "custody" in answer.changes:
        said.append(
            "Footage that is already catalogued keeps its period and its holds."
        )
    again = "" if said else " It is among the cameras to be published again."
    return "\n".join([f"Camera {safe(one.id)} is amended.{again}", *said])


@camera.command("import")
@click.argument("file", type=click.Path(dir_okay=False, readable=False), metavar="FILE")
@click.option(
    "--columns",
    metavar="WHAT=COLUMN,...",
    help="Which column is what, where its name is not a usual one.",
)
@click.option(
    "--propose",
    metavar="PAIRS",
    type=click.Path(dir_okay=False, readable=False),
    help="Import nothing; write cameras that may have a new id to this new file.",
)
@click.option(
    "--controller", metavar="NAME", help="The list is that of this one alone."
)
@with_session
def import_(
    session: Session,
    file: str,
    columns: str | None,
    propose: str | None,
    controller: str | None,
) -> int:
    """Import the published list (CSV or GeoJSON): new cameras in, missing ones unlisted.

    Nothing that happens to footage changes by it. A file with a line that can't be read
    is not imported at all. A camera too far from where it was, or whose data can't be
    whose the list says, is refused: a person rules on it, all others are imported. That a camera has a new id is never
    assumed: --propose writes a file of pairs for a person to edit, `retention camera
    renumber --file` applies it.

    \b
    Example:
      retention camera import cameras-2026-06.csv
      retention camera import list.csv --columns id=ref,location=site
      retention camera import list.csv --propose pairs.csv
      retention camera import theirs.csv --controller "Oadby and Wigston Borough Council"

    Exit status 1: nothing was imported, or all but the cameras that were refused.
    """
    asked = {**packed(file), "columns": columns, "controller": controller}
    if propose is None:
        answer = session.ask("camera.import", ListImported, **asked)
        session.answer(answer, _imported)
        return 1 if answer.refused else 0
    found = session.ask("camera.import", PairsProposed, **asked, propose=True)
    if found.text is not None:
        write_new(propose, found.text)
    shown = codec.to_json(found)
    shown["wrote"] = None if shown.pop("text") is None else propose
    session.answer(shown, lambda _, __: _proposed(found, propose))
    return 0


def _imported(answer: ListImported, zone: str) -> str:
    refused = answer.refused
    lines = [
        f"{counted(len(answer.added), 'camera')} added, "
        f"{len(answer.changed)} changed, {answer.unchanged} unchanged, "
        f"{len(answer.unlisted)} no longer listed, {len(refused)} refused."
    ]
    for one in refused:
        rule = " One of these is true:" if one.commands else ""
        lines.append(
            f"Refused: line {one.line}, camera {safe(one.id)} "
            f"({safe(one.location)}): {safe(one.reason)}.{rule}"
        )
        lines += [f"  {safe(command)}" for command in one.commands]
    return "\n".join([*lines, *_notes(answer)])


def _notes(answer: ListImported | PairsProposed) -> list[str]:
    return [f"Note: {safe(text)}." for text in answer.notes]


def _proposed(answer: PairsProposed, wrote: str) -> str:
    if not answer.pairs:
        return "\n".join(["No camera seems to have a new id.", *_notes(answer)])
    lines = [
        f"{counted(len(answer.pairs), 'pair')} written to {safe(wrote)}; "
        "nothing was changed.",
        "Edit its column `apply`, then: retention camera renumber --file "
        f"{safe(wrote)}",
        table(
            ("old", "new", "metres", "apply", "why"),
            [
                (
                    one.old,
                    one.new,
                    one.metres,
                    "yes" if one.apply else "no",
                    one.why,
                )
                for one in answer.pairs
            ],
        ),
    ]
    return "\n".join([*lines, *_notes(answer)])


camera.add_command(open_data.publish)
camera.add_command(open_data.reconcile)


@camera.command("renumber")
@click.argument("old", required=False, metavar="OLD")
@click.argument("new", required=False, metavar="NEW")
@click.option(
    "--file",
    metavar="PAIRS",
    type=click.Path(dir_okay=False, readable=False),
    help="Many at once, all or none: the file that import --propose wrote.",
)
@with_session
def renumber(
    session: Session, old: str | None, new: str | None, file: str | None
) -> None:
    """The same camera has another published id from now on.

    \b
    Example:
      retention camera renumber 17 1017
      retention camera renumber --file pairs.csv
    """
    content = {} if file is None else packed(file)
    answer = session.ask(
        "camera.renumber", CamerasRenumbered, old=old, new=new, **content
    )
    session.answer(answer, _renumbered)


def _renumbered(answer: CamerasRenumbered, zone: str) -> str:
    done = answer.renumbered
    lines = [
        f"{counted(len(done), 'camera')} renumbered as of {local(answer.at, zone)}.",
        table(
            ("old", "new", "location", "holds"),
            [(one.old, one.new, one.location, _numbers(one.holds)) for one in done],
        ),
    ]
    lines += [
        f"Camera {safe(one.id)} ({safe(one.location)}) lost its id to another."
        for one in answer.displaced
    ]
    held = sorted({hold for one in done for hold in one.holds})
    lines += [_rule_on(held)] if held else []
    return "\n".join(lines)


@camera.command("moved")
@click.argument("id_", metavar="ID")
@_where
@click.option("--location", help="Where it is now, as published.")
@click.option("--view", help="What it looks at now.")
@with_session
def moved(session: Session, id_: str, **given: str | None) -> None:
    """The same camera hangs elsewhere now; its footage and holds stay with it.

    \b
    Example:
      retention camera moved 1017 --lat 52.6361 --lon -1.1342 --location "High Street"
    """
    session.answer(session.ask("camera.moved", CameraMoved, id=id_, **given), _moved)


def _moved(answer: CameraMoved, zone: str) -> str:
    one = answer.camera
    far = "" if answer.metres is None else f" by {answer.metres} m"
    return f"Camera {safe(one.id)} moved{far}." + _still_held(answer)


def _still_held(answer: CameraMoved | CameraReplaced | CameraRetired) -> str:
    holds = answer.holds
    if not holds:
        return ""
    return f"\nIts footage stays under hold {_numbers(holds)}.\n{_rule_on(holds)}"


def _numbers(holds: list[int]) -> str:
    return ", ".join(str(hold) for hold in holds)


def _rule_on(holds: list[int]) -> str:
    """What to do about a change under holds; `status` says it too until it is done."""
    return alarm(
        "Look whether each hold still covers the camera that was meant: `retention hold "
        f'show {holds[0]}`. If so, `retention hold review {holds[0]} --reason "..."`; '
        "else place the right hold."
    )


@camera.command("replace")
@click.argument("id_", metavar="ID")
@_what
@_where
@with_session
def replace(session: Session, id_: str, **given: str | None) -> None:
    """Another camera is under this id from now on; the old one is retired.

    What the old one recorded keeps its own period and its own holds; these cover the
    new camera too until somebody has ruled on them with `retention hold review`.

    \b
    Example:
      retention camera replace 1017 --location "High Street" --lat 52.6361 --lon -1.1342
    """
    session.answer(
        session.ask("camera.replace", CameraReplaced, id=id_, **given), _replaced
    )


def _replaced(answer: CameraReplaced, zone: str) -> str:
    new, old = answer.camera, answer.old
    return (
        f"As of {local(answer.at, zone)} {safe(new.id)} is another camera "
        f"({safe(new.location)}); the old one ({safe(old.location)}) is retired."
        + _covering(answer)
        + _still_held(answer)
    )


def _covering(answer: CameraReplaced) -> str:
    both = answer.holds_covering_both
    if both:
        return f"\nFrom now on hold {_numbers(both)} covers the new camera too."
    if answer.holds:
        return "\nThe new camera's data is not ours, so no hold covers it."
    return ""


@camera.command("assign")
@click.argument("name", metavar="ROOT/NAME")
@click.argument("camera_", metavar="CAMERA")
@click.option("--reason", required=True, help="How that is known, in a few words.")
@click.option(
    "--from", "since", metavar="TIME", help="Only what begins at this instant or later."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@with_session
def assign(session: Session, camera_: str, **given: str | bool | None) -> None:
    """Give what a recorder wrote under a name to its right camera.

    For footage that the settings named a wrong camera for: correct these first.  Holds
    of the right camera cover it at once, those of the wrong one until somebody has ruled
    on them with `retention hold review`.

    \b
    Example:
      retention camera assign nvr1/market-place 1001 --dry-run \\
          --reason "the settings had 1002 for it until today"
    """
    session.answer(
        session.ask("camera.assign", CameraAssigned, camera=camera_, **given), _assigned
    )


def _assigned(answer: CameraAssigned, zone: str) -> str:
    one = answer.camera
    would = "would be" if answer.dry_run else "are now"
    since = "" if answer.since is None else f" from {local(answer.since, zone)} on"
    lines = [
        f"{counted(answer.recordings, 'recording')} ({size(answer.bytes)}) of "
        f"{safe(answer.root)}/{safe(answer.name)}{since} {would} those of camera "
        f"{safe(one.id)} ({safe(one.location)})."
    ]
    for wrong in answer.taken_from:
        under = f", under hold {_numbers(wrong.holds)}" if wrong.holds else ""
        lines.append(
            f"  {counted(wrong.recordings, 'recording')} of camera {safe(wrong.camera)}"
            f"{under}"
        )
    if answer.being_deleted:
        lines.append(
            f"{counted(answer.being_deleted, 'recording')} being deleted: left as they are."
        )
    if answer.holds:
        lines.append(
            f"Hold {_numbers(answer.holds)} of the right camera counts for it."
        )
    both = answer.holds_covering_both
    if both:
        covers = "would cover" if answer.dry_run else "covers"
        lines += [
            f"Hold {_numbers(both)} {covers} the right camera too.",
            _rule_on(both),
        ]
    if answer.dry_run:
        lines.append("Nothing was changed: this was a dry run.")
    return "\n".join(lines)


@camera.command("retire")
@click.argument("id_", metavar="ID")
@with_session
def retire(session: Session, id_: str) -> None:
    """The camera is out of use; its footage keeps its period and its holds.

    \b
    Example:
      retention camera retire 1017
    """
    session.answer(session.ask("camera.retire", CameraRetired, id=id_), _retired)


def _retired(answer: CameraRetired, zone: str) -> str:
    return f"Camera {safe(answer.camera.id)} is retired." + _still_held(answer)
