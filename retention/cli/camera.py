"""`retention camera`: the register of cameras, from the published list or by hand."""

from __future__ import annotations

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import counted, facts, table


@group("camera")
def camera() -> None:
    """The cameras: list | show | add | import | renumber | moved | replace | retire.

    \b
    Example:
      retention camera list
    """


@camera.command("list")
@click.option("--all", "all_", is_flag=True, help="Retired ones as well.")
@with_session
def list_(session: Session, all_: bool) -> None:
    """Every camera under today's id.

    \b
    Example:
      retention camera list
      retention --json camera list
    """
    session.answer(session.ask("camera.list", all=all_ or None), _cameras)


def _cameras(answer: Answer, zone: str) -> str:
    cameras = answer["cameras"]
    return (
        counted(len(cameras), "camera")
        + "\n"
        + table(
            ("id", "location", "kind", "custody", ""),
            [
                (
                    one["id"],
                    one["location"],
                    one["kind"],
                    one["custody"],
                    "",
                )
                for one in cameras
            ],
        )
    )


@camera.command("show")
@click.argument("id_", metavar="ID")
@with_session
def show(session: Session, id_: str) -> None:
    """One camera: where it is, its former ids, its footage.

    \b
    Example:
      retention camera show 1001
    """
    session.answer(session.ask("camera.show", id=id_), facts)
